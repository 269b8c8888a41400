import { describe, expect, it } from "vitest";
import { type Job, parseJob } from "@/api/types";
import { jobTitle, statusWords, waitingWords } from "./words";

function job(fields: Record<string, unknown>): Job {
  const base = { id: "j", recording_id: "r", status: "queued", progress: 0, attempt: 0, format: "flac" };
  return parseJob({ ...base, created_at: "2026-11-23T12:00:00Z", ...fields });
}

describe("a job in words", () => {
  it("tells a first wait from a second", () => {
    expect(statusWords(job({}))).toBe("Queued");
    expect(statusWords(job({ attempt: 1 }))).toBe("Queued again");
    expect(waitingWords(job({ attempt: 1 }))).toMatch(/tried again/);
  });

  it("names the step, the attempt after the first, and how far it is", () => {
    const running = { status: "running", attempt: 1, progress: 0.429 };
    expect(waitingWords(job(running))).toBe("Starting, 42 %");
    expect(waitingWords(job({ ...running, step: "denoise", attempt: 2 }))).toBe("Step denoise, attempt 2, 42 %");
    expect(statusWords(job({ ...running, cancel_requested: true }))).toBe("Stopping");
  });

  it("has nothing to wait for after its end", () => {
    for (const status of ["completed", "failed", "cancelled"]) expect(waitingWords(job({ status }))).toBe("");
  });

  it("is called after its preset, and the track that was asked for", () => {
    expect(jobTitle(job({ preset: "loudness-only" }))).toBe("Loudness only");
    expect(jobTitle(job({}))).toBe("Own chain");
    expect(jobTitle(job({ preset: "speech", track: 2 }))).toBe("Speech, track 2");
  });
});
