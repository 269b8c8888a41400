// The page: a new recording on top, the list of what was sent before below.

import { useCallback, useEffect, useState } from "react";
import type { Preset, Recording } from "@/api/types";
import { listPresets } from "@/api/endpoints";
import { RecordingList } from "@/jobs/RecordingList";
import { useRecordings } from "@/jobs/useRecordings";
import { usePlayOneAtATime } from "@/player/usePlayOneAtATime";
import { NewRecording } from "@/send/NewRecording";
import { Announcer } from "@/ui/Announcer";

export default function App() {
  const recordings = useRecordings();
  const presets = usePresets(recordings.stream === "live");
  const [sentId, setSentId] = useState<string | null>(null);
  usePlayOneAtATime();

  const { added } = recordings;
  const onSent = useCallback(
    (recording: Recording) => {
      added(recording);
      setSentId(recording.id);
    },
    [added],
  );

  return (
    <Announcer>
      <main className="page">
        <h1 className="hidden">Retake</h1>
        <NewRecording presets={presets} onSent={onSent} />
        <RecordingList recordings={recordings} presets={presets} sentId={sentId} />
      </main>
    </Announcer>
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
