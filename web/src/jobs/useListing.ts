// A list that was asked for with words, a status or an order: pages of it, kept up to date with what is heard of the
// recordings in it. Without any of these the list is what the page knows anyway.

import { useCallback, useEffect, useMemo, useState } from "react";
import { ANY, type Listing, listRecordings } from "@/api/endpoints";
import { type Trouble, describe } from "@/api/problem";
import type { Recording } from "@/api/types";
import type { Recordings } from "./useRecordings";

export type Listed = {
  phase: "loading" | "ready" | "failed";
  trouble: Trouble | null;
  items: readonly Recording[];
  more: (() => Promise<Trouble | null>) | null;
};

type Found = { asked: string; items: readonly Recording[]; next: string | null; trouble: Trouble | null };

export function useListing(recordings: Recordings, listing: Listing): Listed {
  const { state, loadMore } = recordings;
  const asked = JSON.stringify(listing);
  const all = asked === JSON.stringify(ANY);
  const [found, setFound] = useState<Found | null>(null);
  // Whatever comes or ends may belong into it, or not any more.
  const news = state.recordings.map(({ id, jobs }) => `${id} ${jobs[0]?.status ?? ""}`).join();

  useEffect(() => {
    if (all) return;
    const stop = new AbortController();
    listRecordings(null, stop.signal, JSON.parse(asked) as Listing).then(
      ({ items, next_page_token }) => setFound({ asked, items, next: next_page_token, trouble: null }),
      (error: unknown) => {
        if (!stop.signal.aborted) setFound({ asked, items: [], next: null, trouble: describe(error) });
      },
    );
    return () => stop.abort();
  }, [asked, all, news]);

  const more = useCallback(async (): Promise<Trouble | null> => {
    if (found?.next == null) return null;
    try {
      const page = await listRecordings(found.next, undefined, JSON.parse(found.asked) as Listing);
      setFound({ ...found, items: [...found.items, ...page.items], next: page.next_page_token });
      return null;
    } catch (error) {
      return describe(error);
    }
  }, [found]);

  return useMemo((): Listed => {
    if (all) {
      const { phase, trouble, recordings: items, nextPageToken } = state;
      return { phase, trouble, items, more: nextPageToken === null ? null : loadMore };
    }
    if (found?.asked !== asked) return { phase: "loading", trouble: null, items: [], more: null };
    const known = new Map(state.recordings.map((recording) => [recording.id, recording]));
    const items = found.items.filter(({ id }) => !state.deleted.has(id)).map((item) => known.get(item.id) ?? item);
    const { trouble, next } = found;
    return { phase: trouble === null ? "ready" : "failed", trouble, items, more: next === null ? null : more };
  }, [all, asked, found, more, state, loadMore]);
}
