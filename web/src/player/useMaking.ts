// Has something made on the server and waits for it, until nobody wants it any more.

import { useEffect, useRef, useState } from "react";
import { type Trouble, describe } from "@/api/problem";
import { renditionMade } from "@/api/renditions";
import { t } from "@/i18n";
import { useAnnounce } from "@/ui/Announcer";

export function useMaking() {
  const announce = useAnnounce();
  const [making, setMaking] = useState(false);
  const [trouble, setTrouble] = useState<Trouble | null>(null);
  const wanted = useRef<AbortController | null>(null);
  useEffect(() => () => wanted.current?.abort(), []);

  /** True once it is there; false where it was stopped or cannot be had. `what` begins a sentence. */
  const make = async (url: string, what: string): Promise<boolean> => {
    const controller = new AbortController();
    wanted.current = controller;
    setTrouble(null);
    setMaking(true);
    announce(t("making.begins", { what }));
    try {
      await renditionMade(url, controller.signal);
      if (controller.signal.aborted) return false;
      announce(t("making.ready", { what }));
      return true;
    } catch (error) {
      if (!controller.signal.aborted) setTrouble(describe(error));
      return false;
    } finally {
      setMaking(false);
    }
  };
  return { making, trouble, make, stop: () => wanted.current?.abort() };
}
