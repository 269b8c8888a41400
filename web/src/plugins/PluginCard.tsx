// One plugin of the catalogue: a line, and opened, its manifest, versions and check report.

import { useId, useState } from "react";
import type { Chain } from "@/api/chain";
import type { Plugin } from "@/api/plugins";
import { TroubleNote } from "@/ui/TroubleNote";
import { CheckReportView } from "./CheckReportView";
import { ManifestFacts } from "./ManifestFacts";
import { ParamsTable } from "./ParamsTable";
import { Versions } from "./Versions";
import { useCatalogue } from "./Catalogue";
import { nameInChain } from "./find";
import { usePluginDetails } from "./usePluginDetails";
import styles from "./plugins.module.css";

type Props = {
  plugin: Plugin;
  open: boolean;
  adminKey: string;
  onToggle: (open: boolean) => void;
  onTry: (chain: Chain, name: string) => void;
  onRemoved: () => void;
};

export function PluginCard({ plugin, open, onToggle, ...rest }: Props) {
  const id = useId();
  return (
    <li className={styles.plugin} data-plugin={plugin.id}>
      <h2 className={styles.head}>
        <button type="button" aria-expanded={open} aria-controls={`${id}-body`} onClick={() => onToggle(!open)}>
          <span className={styles.names}>
            <bdi>{plugin.name}</bdi>
            <bdi className={styles.summary}>{plugin.summary}</bdi>
          </span>
          <span className={styles.version}>{plugin.version}</span>
        </button>
      </h2>
      <div id={`${id}-body`} hidden={!open}>
        {open && <Details newest={plugin} {...rest} />}
      </div>
    </li>
  );
}

type DetailsProps = Omit<Props, "plugin" | "open" | "onToggle"> & { newest: Plugin };

function Details({ newest, adminKey, onTry, onRemoved }: DetailsProps) {
  const { plugins } = useCatalogue();
  const [version, setVersion] = useState(newest.version);
  const details = usePluginDetails(newest.id, version);
  const plugin = details.version?.plugin ?? newest;
  const attempt = () => {
    const step = { plugin: nameInChain(plugins, newest) };
    const chain = { steps: [plugin.version === newest.version ? step : { ...step, version: plugin.version }] };
    onTry(chain, plugin.name);
  };
  return (
    <div className={styles.body}>
      <div className="actions">
        <button type="button" onClick={attempt}>
          Try it<span className="hidden">: <bdi>{plugin.name}</bdi></span>
        </button>
      </div>
      <ManifestFacts plugin={plugin} />
      <h3>Parameters</h3>
      <ParamsTable params={plugin.params} />
      {details.history !== null && (
        <Versions
          plugin={newest}
          rows={details.history.versions}
          shown={plugin.version}
          adminKey={adminKey}
          onShow={setVersion}
          onRemoved={() => {
            setVersion(newest.version);
            details.reload();
            onRemoved();
          }}
        />
      )}
      {details.trouble !== null && <TroubleNote trouble={details.trouble} />}
      {details.version !== null && (
        <section aria-label={`Check of ${plugin.name} ${plugin.version}`} className={styles.part}>
          <h3>What the check found</h3>
          {details.version.check === null ? (
            <p className="muted">
              {plugin.origin === "built_in"
                ? "It comes with Retake, and Retake’s own tests check it."
                : "No report was kept."}
            </p>
          ) : (
            <CheckReportView report={details.version.check} />
          )}
        </section>
      )}
      <details>
        <summary>Its parameters as JSON Schema</summary>
        <pre className={styles.code}>
          {JSON.stringify(plugin.params_schema, null, 2)}
        </pre>
      </details>
    </div>
  );
}
