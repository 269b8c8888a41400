// What went wrong, why, and what to do next. `role="alert"` only where it answers something that the
// person just did: a list full of old failures must not shout when it appears.

import type { ReactNode } from "react";
import type { Trouble } from "@/api/problem";

type Props = { trouble: Trouble; alert?: boolean; children?: ReactNode };

export function TroubleNote({ trouble, alert = false, children }: Props) {
  return (
    <div className="note trouble" role={alert ? "alert" : undefined}>
      <p>
        <strong>{trouble.title}.</strong> {trouble.detail}
      </p>
      <p>{trouble.next}</p>
      {trouble.request_id !== null && <p className="fine">Request {trouble.request_id}</p>}
      {children !== undefined && <div className="actions">{children}</div>}
    </div>
  );
}
