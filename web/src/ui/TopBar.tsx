// The bar above every view; in the HTML itself without its links.

import type { ReactNode } from "react";
import { BASE } from "@/base";

export function TopBar({ children }: { children?: ReactNode }) {
  // What is in the HTML does not know under which path it is served.
  const home = children === undefined ? undefined : `${BASE}/`;
  return (
    <header className="masthead">
      <a className="name" href={home}>
        {/* A wave that comes in ragged and goes out smooth. */}
        <svg className="mark" viewBox="0 0 48 24" aria-hidden="true" focusable="false">
          <path className="before" d="M2 12h3l2-5 2 11L11.500 3l2.500 18L16.500 7l2 8 1.500-3" />
          <path className="after" d="M20 12c2-8 4-8 6 0s4 8 6 0 4-8 6 0 4 8 6 0h2" />
        </svg>
        <span>Retake</span>
      </a>
      {children}
    </header>
  );
}
