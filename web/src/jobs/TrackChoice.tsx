// Which of a recording's tracks to correct.

import { useId } from "react";
import type { Track } from "@/api/report";
import { trackWords } from "@/report/tracks";

type Props = {
  tracks: readonly Track[];
  /** Null leaves the choice to the server. */
  value: number | null;
  onChange: (track: number | null) => void;
};

export function TrackChoice({ tracks, value, onChange }: Props) {
  const id = useId();
  return (
    <div>
      <label htmlFor={id}>Track</label>
      <select
        id={id}
        value={value ?? ""}
        onChange={(event) => onChange(event.target.value === "" ? null : Number(event.target.value))}
      >
        <option value="">Whichever fits</option>
        {tracks.map((track) => (
          <option key={track.track} value={track.track}>
            {trackWords(track)}
          </option>
        ))}
      </select>
    </div>
  );
}
