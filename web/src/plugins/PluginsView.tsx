// The catalogue: every plugin with what it says of itself, and, for whoever holds the admin key,
// publishing and removing.

import { useEffect, useRef } from "react";
import type { Chain } from "@/api/chain";
import { TroubleNote } from "@/ui/TroubleNote";
import type { View } from "@/ui/useView";
import { CatalogueProvider, useCatalogue } from "./Catalogue";
import { PluginCard } from "./PluginCard";
import { Publish } from "./Publish";
import { findPlugin } from "./find";
import { useAdminKey } from "./useAdminKey";
import styles from "./plugins.module.css";

type Props = {
  /** The one the address names. */
  plugin: string | null;
  go: (view: View) => void;
  onTry: (chain: Chain, name: string) => void;
};

export default function PluginsView(props: Props) {
  return (
    <CatalogueProvider>
      <Plugins {...props} />
    </CatalogueProvider>
  );
}

function Plugins({ plugin: named, go, onTry }: Props) {
  const { phase, trouble, plugins, reload } = useCatalogue();
  const admin = useAdminKey();
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), []);
  const shown = findPlugin(plugins, named);
  return (
    <>
      <section className={styles.list} aria-labelledby="plugins">
        <h1 id="plugins" ref={heading} tabIndex={-1} className={styles.title}>
          Plugins
        </h1>
        <p className="muted">
          Each correction is a plugin. A chain runs them one after the other, each in its own sandbox.
        </p>
        {phase === "loading" && <p className="muted">Looking…</p>}
        {phase === "failed" && trouble !== null && (
          <TroubleNote trouble={trouble}>
            <button type="button" onClick={reload}>
              Try again
            </button>
          </TroubleNote>
        )}
        {phase === "ready" && named !== null && shown === undefined && (
          <p className="note">There is no plugin “{named}” here, or not any more.</p>
        )}
        <ul className={styles.cards}>
          {plugins.map((plugin) => (
            <PluginCard
              key={plugin.id}
              plugin={plugin}
              open={plugin === shown}
              adminKey={admin.key}
              onToggle={(open) => go({ name: "plugins", plugin: open ? plugin.id : null })}
              onTry={onTry}
              onRemoved={() => {
                reload();
                // The card may be gone with its last version.
                heading.current?.focus();
              }}
            />
          ))}
        </ul>
      </section>
      <Publish admin={admin} onTry={onTry} onPublished={reload} />
    </>
  );
}
