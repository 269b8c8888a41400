// The plugins there are, read once something shows them, and one version's manifest where a chain
// names another than the newest.

import { type ReactNode, createContext, useCallback, useContext, useEffect, useMemo, useRef, useState } from "react";
import { getPluginVersion, listPlugins } from "@/api/catalogue";
import { type Trouble, describe } from "@/api/problem";
import type { Plugin } from "@/api/plugins";
import { type Named, findPlugin, versionKey } from "./find";

export type Catalogue = {
  phase: "idle" | "loading" | "ready" | "failed";
  trouble: Trouble | null;
  plugins: readonly Plugin[];
  /** The manifest a step means, once it is known. */
  manifestOf: (step: Named) => Plugin | undefined;
  reload: () => void;
  /** Reads an older version's manifest, if it has not been read. */
  want: (step: Named) => void;
};

const CatalogueContext = createContext<Catalogue | null>(null);

/** Reads the catalogue when first used. */
export function useCatalogue(): Catalogue {
  const catalogue = useContext(CatalogueContext);
  if (catalogue === null) throw new Error("useCatalogue needs a CatalogueProvider above it");
  const { phase, reload } = catalogue;
  useEffect(() => {
    if (phase === "idle") reload();
  }, [phase, reload]);
  return catalogue;
}

type State = Pick<Catalogue, "phase" | "trouble" | "plugins">;

export function CatalogueProvider({ children }: { children: ReactNode }) {
  const [state, setState] = useState<State>({ phase: "idle", trouble: null, plugins: [] });
  const [older, setOlder] = useState<ReadonlyMap<string, Plugin>>(new Map());
  const asked = useRef(new Set<string>());
  const latest = useRef(0);

  const reload = useCallback(() => {
    latest.current += 1;
    const mine = latest.current;
    setState((before) => ({ ...before, phase: before.plugins.length > 0 ? "ready" : "loading" }));
    listPlugins().then(
      (plugins) => {
        if (latest.current === mine) setState({ phase: "ready", trouble: null, plugins });
      },
      (error: unknown) => {
        // What is known stays: an old catalogue is better than none.
        if (latest.current === mine) setState((before) => failed(before, describe(error)));
      },
    );
  }, []);

  const { plugins } = state;
  const want = useCallback(
    (step: Named) => {
      const newest = findPlugin(plugins, step.plugin);
      if (newest === undefined || step.version === null || step.version === newest.version) return;
      const key = versionKey(newest.id, step.version);
      if (asked.current.has(key)) return;
      asked.current.add(key);
      getPluginVersion(newest.id, step.version).then(
        ({ plugin }) => setOlder((before) => new Map([...before, [key, plugin]])),
        () => asked.current.delete(key), // asked for again when it is shown again
      );
    },
    [plugins],
  );

  const manifestOf = useCallback(
    (step: Named): Plugin | undefined => {
      const newest = findPlugin(plugins, step.plugin);
      if (newest === undefined || step.version === null || step.version === newest.version) return newest;
      return older.get(versionKey(newest.id, step.version));
    },
    [plugins, older],
  );

  const catalogue = useMemo(() => ({ ...state, manifestOf, reload, want }), [state, manifestOf, reload, want]);
  return <CatalogueContext value={catalogue}>{children}</CatalogueContext>;
}

function failed(before: State, trouble: Trouble): State {
  return before.plugins.length > 0 ? before : { phase: "failed", trouble, plugins: [] };
}
