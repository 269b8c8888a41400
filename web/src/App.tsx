// The page: bringing a recording in, everything that was, one of them, and the plugins.

import { Suspense, lazy, useState } from "react";
import type { Chain } from "@/api/chain";
import type { Recording } from "@/api/types";
import type { Trial } from "@/chain/useTrial";
import { preferred, speak, t, useLanguage } from "@/i18n";
import { useDeleting } from "@/jobs/useDeleting";
import { useRecordings } from "@/jobs/useRecordings";
import { nameOf } from "@/jobs/name";
import { RecentRecordings } from "@/jobs/RecentRecordings";
import { NewRecording } from "@/send/NewRecording";
import { usePresets } from "@/send/usePresets";
import { Announcer, useAnnounce } from "@/ui/Announcer";
import { TopBar } from "@/ui/TopBar";
import { applyTheme } from "@/ui/theme";
import { ViewLink } from "@/ui/ViewLink";
import { usePlayOneAtATime } from "@/ui/usePlayOneAtATime";
import { EVERYTHING, type View, useView } from "@/ui/useView";

const Workspace = lazy(() => import("@/workspace/Workspace"));
const UndoBar = lazy(() => import("@/jobs/UndoBar"));
const RecordingsView = lazy(() => import("@/jobs/RecordingsView"));
const SharedView = lazy(() => import("@/workspace/SharedView"));
const SettingsView = lazy(() => import("@/settings/SettingsView"));
const PluginsView = lazy(() => import("@/plugins/PluginsView"));

/** The page, once it knows in which language and colours. */
export async function ready(): Promise<typeof App> {
  applyTheme();
  // Without its words it speaks English.
  await speak(preferred()).catch((error: unknown) => console.warn("the language cannot be had", error));
  return App;
}

function App() {
  useLanguage();
  const { view } = useView();
  // Whoever was sent a link has nothing here: no list, no events.
  if (view.name === "shared") {
    return (
      <Announcer>
        <TopBar>{null}</TopBar>
        <Suspense fallback={<Opening />}>
          <SharedView key={view.token} token={view.token} />
        </Suspense>
      </Announcer>
    );
  }
  return (
    <Announcer>
      <Views />
    </Announcer>
  );
}

function Views() {
  const recordings = useRecordings();
  const presets = usePresets(recordings.stream === "live");
  const announce = useAnnounce();
  const { view, go } = useView();
  const [trial, setTrial] = useState<Trial | null>(null);
  const deleting = useDeleting(recordings);
  usePlayOneAtATime();

  const { added } = recordings;
  // Whoever has sent one wants to see it; of several the list shows how far they are.
  const onSent = ([first, ...others]: readonly Recording[]) => {
    if (first !== undefined && others.length === 0 && view.name === "start") {
      go({ name: "recording", id: first.id, job: null });
    }
  };

  const onTry = (chain: Chain, name: string) => {
    const last = recordings.state.recordings[0];
    setTrial({ chain, recordingId: last?.id ?? null });
    go(last === undefined ? { name: "start" } : { name: "recording", id: last.id, job: null });
    announce(
      last === undefined
        ? t("try.next", { plugin: name })
        : t("try.last", { plugin: name, recording: nameOf(last) }),
    );
  };

  return (
    <>
      <TopBar>
        <Navigation view={view} go={go} />
      </TopBar>
      {/* Stays while something else is looked at: a recording not sent yet must not be lost by that. */}
      <main className="page start" hidden={view.name !== "start"}>
        <div className="hero">
          <h1>{t("start.title")}</h1>
          <p className="muted">{t("start.what")}</p>
        </div>
        <NewRecording presets={presets} 
          trial={trial?.recordingId === null ? trial : null}
          onDropped={() => go({ name: "start" })}
          onAccepted={added}
          onSent={onSent}
        />
        <RecentRecordings recordings={recordings} go={go} />
      </main>
      {/* Its own: what was left would stay behind the one that is still fetched, and act. */}
      <Suspense fallback={<Opening />}>
        {view.name === "recordings" && (
          <RecordingsView recordings={recordings} deleting={deleting} view={view} go={go} />
        )}
      </Suspense>
      <Suspense fallback={<Opening />}>
        {view.name === "recording" && (
          <Workspace
            id={view.id}
            jobId={view.job}
            recording={recordings.state.recordings.find(({ id }) => id === view.id) ?? null}
            presets={presets}
            trial={trial?.recordingId === view.id ? trial : null}
            go={go}
            onRecording={added}
            onJob={recordings.jobChanged}
            onDelete={(recording) => {
              deleting.remove([recording]);
              go(EVERYTHING);
            }}
          />
        )}
        {view.name === "settings" && <SettingsView onDeletedAll={recordings.refresh} />}
        {view.name === "plugins" && (
          <main className="page">
            <PluginsView plugin={view.plugin} go={go} onTry={onTry} />
          </main>
        )}
      </Suspense>
      {(deleting.last.length > 0 || deleting.trouble !== null) && (
        <Suspense>
          <UndoBar deleting={deleting} />
        </Suspense>
      )}
    </>
  );
}

function Opening() {
  return (
    <main className="page">
      <h1 className="muted">{t("opening")}</h1>
    </main>
  );
}

function Navigation({ view, go }: { view: View; go: (view: View) => void }) {
  const links = [
    [{ name: "start" }, view.name === "start", t("nav.start")],
    [EVERYTHING, view.name === "recordings" || view.name === "recording", t("nav.recordings")],
    [{ name: "plugins", plugin: null }, view.name === "plugins", t("nav.plugins")],
    [{ name: "settings" }, view.name === "settings", t("nav.settings")],
  ] as const satisfies readonly (readonly [View, boolean, string])[];
  return (
    <nav className="views" aria-label={t("nav.label")}>
      {links.map(([to, current, words]) => (
        <ViewLink key={to.name} to={to} go={go} current={current}>
          {words}
        </ViewLink>
      ))}
    </nav>
  );
}
