// What the catalogue does not say of a plugin: its history, and one version with its check report.

import { useCallback, useEffect, useState } from "react";
import { getPlugin, getPluginVersion } from "@/api/catalogue";
import { type Trouble, describe } from "@/api/problem";
import type { PluginHistory, PluginVersion } from "@/api/plugins";

export type PluginDetails = {
  history: PluginHistory | null;
  version: PluginVersion | null;
  trouble: Trouble | null;
  reload: () => void;
};

export function usePluginDetails(id: string, version: string): PluginDetails {
  const [history, setHistory] = useState<PluginHistory | null>(null);
  const [shown, setShown] = useState<PluginVersion | null>(null);
  const [trouble, setTrouble] = useState<Trouble | null>(null);
  const [turn, setTurn] = useState(0);
  const reload = useCallback(() => setTurn((before) => before + 1), []);

  useEffect(() => {
    const stop = new AbortController();
    getPlugin(id, stop.signal).then(setHistory, (error: unknown) => {
      if (!stop.signal.aborted) setTrouble(describe(error));
    });
    return () => stop.abort();
  }, [id, turn]);

  useEffect(() => {
    const stop = new AbortController();
    getPluginVersion(id, version, stop.signal).then(
      (found) => {
        setShown(found);
        setTrouble(null);
      },
      (error: unknown) => {
        if (!stop.signal.aborted) setTrouble(describe(error));
      },
    );
    return () => stop.abort();
  }, [id, version, turn]);

  return { history, version: shown?.plugin.version === version ? shown : null, trouble, reload };
}
