"use client";

import dynamic from "next/dynamic";
import { TopBar } from "./TopBar";

function Loading() {
  return (
    <>
      <TopBar />
      <main className="page">
        <p className="muted">Opening…</p>
        <noscript>
          <p>Retake records and plays sound in the browser, and needs JavaScript for it.</p>
        </noscript>
      </main>
    </>
  );
}

export const BrowserOnly = dynamic(() => import("@/App").then(async (app) => ({ default: await app.ready() })), { ssr: false, loading: Loading });
