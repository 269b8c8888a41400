// The media elements, which nobody sees, and which deck plays on them. The two files play at once; as soon as the server
// has made one stream of both, that takes over, at the same place. Where the browser cannot play that, the tracks do, or
// the two files stay.

import { useEffect, useMemo, useRef, useState } from "react";
import type { Addresses } from "@/api/addresses";
import { type Trouble, describe } from "@/api/problem";
import { renditionMade } from "@/api/renditions";
import type { Report } from "@/api/report";
import { cutsOf, inCorrection, inOriginal } from "@/report/alignment";
import { ChannelDeck, type Deck, PairDeck, TrackDeck } from "./deck";
import { channelsOf } from "./gains";
import { matchedVolumes } from "./match";
import { canChangeTracks } from "./trackChoice";
import type { Transport } from "./transport";

/** `pair` while the stream is made, and where nothing else can be played. */
export type Playing = "pair" | "channels" | "tracks";

export type Sound = { playing: Playing; making: boolean; trouble: Trouble | null };

const SIDES = ["original", "corrected"] as const;

type Props = {
  addresses: Addresses;
  report: Report;
  transport: Transport;
  onSound: (sound: Sound) => void;
};

export function Players({ addresses, report, transport, onSound }: Props) {
  const [playing, setPlaying] = useState<Playing>("pair");
  /** What is made on the server now; null where there is nothing more to try. */
  const [wanted, setWanted] = useState<Exclude<Playing, "pair"> | null>("channels");
  const [trouble, setTrouble] = useState<Trouble | null>(null);
  const pair = useRef<{ original: HTMLAudioElement | null; corrected: HTMLAudioElement | null }>({ original: null, corrected: null });
  const both = useRef<HTMLAudioElement>(null);
  const cuts = useMemo(() => cutsOf(report), [report]);
  const url = playing === "pair" ? null : addresses[playing];

  useEffect(() => transport.know(report.output.duration_ms / 1000, matchedVolumes(report)), [transport, report]);

  useEffect(() => onSound({ playing, making: wanted !== null, trouble }), [playing, wanted, trouble, onSound]);

  useEffect(() => {
    if (wanted === null) return;
    const stop = new AbortController();
    renditionMade(addresses[wanted], stop.signal).then(
      () => {
        if (stop.signal.aborted) return;
        setPlaying(wanted);
        setWanted(null);
      },
      (error: unknown) => {
        if (stop.signal.aborted) return;
        setTrouble(describe(error));
        setWanted(null);
      },
    );
    return () => stop.abort();
  }, [wanted, addresses]);

  useEffect(() => {
    const deck = (): Deck | null => {
      const { original, corrected } = pair.current;
      if (playing === "pair") {
        if (original === null || corrected === null) return null;
        return new PairDeck(corrected, original, {
          inOriginal: (at) => inOriginal(cuts, at),
          inCorrection: (at) => inCorrection(cuts, at),
        });
      }
      if (both.current === null) return null;
      const onUnplayable = () => setPlaying("pair");
      return playing === "channels"
        ? new ChannelDeck(both.current, channelsOf(report.input.channels, report.output.channels))
        : new TrackDeck(both.current, onUnplayable);
    };
    transport.use(deck());
  }, [playing, transport, report, cuts]);

  const sync = () => transport.sync();
  const signs = { onPlay: sync, onPause: sync, onEnded: sync, onTimeUpdate: sync, onSeeked: transport.moved };

  return (
    <div hidden>
      {url !== null && (
        <audio
          key={url}
          ref={both}
          preload="auto"
          src={url}
          data-player={playing === "channels" ? "compare" : "tracks"}
          {...signs}
          onError={(event) => {
            // What went wrong on the line is none of that: the player itself asks again.
            const code = event.currentTarget.error?.code;
            if (code !== MediaError.MEDIA_ERR_DECODE && code !== MediaError.MEDIA_ERR_SRC_NOT_SUPPORTED) return;
            setPlaying("pair");
            if (playing === "channels" && canChangeTracks()) setWanted("tracks");
          }}
        />
      )}
      {SIDES.filter(() => addresses.pair !== null).map((side) => (
        <audio
          key={side}
          ref={(element) => {
            pair.current[side] = element;
          }}
          preload={playing === "pair" && wanted === null ? "metadata" : "none"}
          src={addresses.pair?.[side]}
          data-player={side}
          {...signs}
        />
      ))}
    </div>
  );
}
