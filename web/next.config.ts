// Next is our bundler: a static export that the Rust server serves. In development its own server
// hands everything under /api to a Retake server (RETAKE_URL), which an export cannot do.

import type { NextConfig } from "next";
import { PHASE_DEVELOPMENT_SERVER } from "next/constants";

export default function config(phase: string): NextConfig {
  if (phase !== PHASE_DEVELOPMENT_SERVER) {
    return { output: "export", reactStrictMode: true, images: { unoptimized: true } };
  }
  const backend = process.env.RETAKE_URL ?? "http://127.0.0.1:8080";
  return {
    reactStrictMode: true,
    // Compression would hold server-sent events back until its buffer is full.
    compress: false,
    rewrites: () => Promise.resolve([{ source: "/api/:path*", destination: `${backend}/api/:path*` }]),
  };
}
