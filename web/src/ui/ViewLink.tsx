// A link within the page: it goes there without loading, and like any link where it is opened anew.

import type { ReactNode } from "react";
import { type View, addressOf } from "./useView";

type Props = { to: View; go: (view: View) => void; current?: boolean; className?: string | undefined; children: ReactNode };

export function ViewLink({ to, go, current = false, className, children }: Props) {
  return (
    <a
      href={addressOf(to)}
      className={className}
      aria-current={current ? "page" : undefined}
      onClick={(event) => {
        if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
        event.preventDefault();
        go(to);
      }}
    >
      {children}
    </a>
  );
}
