// The frame that is in the HTML itself, so that something is there before any script has run.

import type { Metadata, Viewport } from "next";
import type { ReactNode } from "react";
import "./globals.css";

export const metadata: Metadata = {
  title: "Retake: recordings, corrected",
  description: "Record or choose a recording, and get it back with the noise gone and the level right.",
};

export const viewport: Viewport = {
  width: "device-width",
  initialScale: 1,
  colorScheme: "light dark",
  themeColor: [
    { media: "(prefers-color-scheme: light)", color: "#f3f0e8" },
    { media: "(prefers-color-scheme: dark)", color: "#12191a" },
  ],
};

export default function Layout({ children }: { children: ReactNode }) {
  return (
    <html lang="en">
      <body>
        <header className="masthead">
          {/* A wave that comes in ragged and goes out smooth. */}
          <svg className="mark" viewBox="0 0 48 24" aria-hidden="true" focusable="false">
            <path className="before" d="M2 12h3l2-5 2 11L11.500 3l2.500 18L16.500 7l2 8 1.500-3" />
            <path className="after" d="M20 12c2-8 4-8 6 0s4 8 6 0 4-8 6 0 4 8 6 0h2" />
          </svg>
          <p className="name">Retake</p>
          <p className="tagline">Say it once. Hear it right.</p>
        </header>
        {children}
      </body>
    </html>
  );
}
