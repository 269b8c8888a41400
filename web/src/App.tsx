// The page: recordings (a new one on top, the list of what was sent before below), and the plugins.

import { useCallback, useEffect, useState } from "react";
import type { Chain } from "@/api/chain";
import type { Preset, Recording } from "@/api/types";
import { listPresets } from "@/api/endpoints";
import type { Trial } from "@/chain/useTrial";
import { RecordingList } from "@/jobs/RecordingList";
import { useRecordings } from "@/jobs/useRecordings";
import { usePlayOneAtATime } from "@/player/usePlayOneAtATime";
import { CatalogueProvider } from "@/plugins/Catalogue";
import { PluginsView } from "@/plugins/PluginsView";
import { NewRecording } from "@/send/NewRecording";
import { Announcer, useAnnounce } from "@/ui/Announcer";
import { ViewLink } from "@/ui/ViewLink";
import { type View, useView } from "@/ui/useView";

export default function App() {
  return (
    <Announcer>
      <CatalogueProvider>
        <Views />
      </CatalogueProvider>
    </Announcer>
  );
}

function Views() {
  const recordings = useRecordings();
  const presets = usePresets(recordings.stream === "live");
  const announce = useAnnounce();
  const { view, go } = useView();
  const [sentId, setSentId] = useState<string | null>(null);
  const [trial, setTrial] = useState<Trial | null>(null);
  usePlayOneAtATime();

  const { added } = recordings;
  const onSent = useCallback(
    (recording: Recording) => {
      added(recording);
      setSentId(recording.id);
    },
    [added],
  );

  const onTry = (chain: Chain, name: string) => {
    const last = recordings.state.recordings[0];
    setTrial({ chain, recordingId: last?.id ?? null });
    go({ name: "recordings" });
    announce(
      last === undefined
        ? `Record or choose something to try ${name} on.`
        : `${name} is ready to be tried on ${last.file_name ?? "your last recording"}.`,
    );
  };

  return (
    <>
      <Navigation view={view} go={go} />
      {/* Stays while the plugins are looked at: a recording not sent yet must not be lost by that. */}
      <main className="page" hidden={view.name !== "recordings"}>
        <h1 className="hidden">Retake</h1>
        <NewRecording presets={presets} trial={trial?.recordingId === null ? trial : null} onSent={onSent} />
        <RecordingList recordings={recordings} presets={presets} sentId={sentId} trial={trial} />
      </main>
      {view.name === "plugins" && (
        <main className="page">
          <PluginsView plugin={view.plugin} go={go} onTry={onTry} />
        </main>
      )}
    </>
  );
}

function Navigation({ view, go }: { view: View; go: (view: View) => void }) {
  return (
    <nav className="views" aria-label="Views">
      <ViewLink to={{ name: "recordings" }} go={go} current={view.name === "recordings"}>
        Recordings
      </ViewLink>
      <ViewLink to={{ name: "plugins", plugin: null }} go={go} current={view.name === "plugins"}>
        Plugins
      </ViewLink>
    </nav>
  );
}

/** Asked for again when the server comes back, for as long as there are none. */
function usePresets(live: boolean): readonly Preset[] {
  const [presets, setPresets] = useState<readonly Preset[]>([]);
  const missing = presets.length === 0;
  useEffect(() => {
    if (!missing) return;
    const stop = new AbortController();
    listPresets(stop.signal).then(setPresets, () => undefined);
    return () => stop.abort();
  }, [missing, live]);
  return presets;
}
