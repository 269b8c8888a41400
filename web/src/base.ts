// The path under which we are served: "" at the root of a host, "/retake" below it. The server has put it before the
// addresses of our scripts, so they tell it. (No slash before `_next` in here: the server would put it there, too.)

/** What stands before `_next` in a script's address. */
export function baseOf(script: string): string {
  const { pathname } = new URL(script);
  const end = pathname.indexOf("_next/");
  return end < 1 ? "" : pathname.slice(0, end - 1);
}

function found(): string {
  if (typeof document === "undefined") return "";
  const script = document.querySelector<HTMLScriptElement>('script[src*="_next/"]');
  return script === null ? "" : baseOf(script.src);
}

export const BASE = found();
