import { describe, expect, it } from "vitest";
import { UnreadableAnswer } from "./decode";
import { RequestFailed, ServerUnreachable, describe as words, problemFromBody, sentence } from "./problem";
import { parseReport } from "./report";
import { parseJob, parseRecordingPage } from "./types";

const JOB = {
  id: "j1",
  recording_id: "r1",
  status: "running",
  progress: 0.25,
  step: "denoise",
  attempt: 1,
  error: null,
  warnings: [],
  preset: "speech",
  format: "flac",
  created_at: "2026-11-23T12:00:00Z",
  started_at: "2026-11-23T12:00:01Z",
  ended_at: null,
};

describe("reading a job", () => {
  it("takes what the server sends, and fields it does not know yet", () => {
    const job = parseJob({ ...JOB, colour: "blue" });
    expect(job).toMatchObject({ id: "j1", status: "running", progress: 0.25, cancel_requested: false });
    expect(job.created_at.getTime()).toBe(Date.UTC(2026, 10, 23, 12));
  });

  it("reads the problem of a failed job", () => {
    const error = { type: "/problems/not-audio", title: "t", status: 415, detail: "d" };
    expect(parseJob({ ...JOB, status: "failed", error }).error).toMatchObject({ status: 415, errors: [] });
  });

  it("reads warnings as they were before there were codes, and codes of tomorrow", () => {
    const newer = { code: "of-tomorrow", severity: "warning", params: { n: 1, list: [1, 2], odd: {} }, message: "m" };
    expect(parseJob({ ...JOB, warnings: ["it was truncated", newer] }).warnings).toEqual([
      { code: "note", severity: "warning", params: { text: "it was truncated" }, message: "it was truncated" },
      { code: "of-tomorrow", severity: "warning", params: { n: 1, list: [1, 2] }, message: "m" },
    ]);
  });

  it("takes a severity it does not know for a warning", () => {
    const finding = { code: "c", severity: "disaster", params: null, message: "m" };
    expect(parseJob({ ...JOB, warnings: [finding] }).warnings[0]).toMatchObject({ severity: "warning", params: {} });
  });

  it("knows the track that was asked for, where one was", () => {
    expect(parseJob({ ...JOB, track: 2 }).track).toBe(2);
    expect(parseJob(JOB).track).toBeNull();
  });

  it.each([
    [{ ...JOB, status: "paused" }, 'job.status is "paused", but should be one of queued, running'],
    [{ ...JOB, progress: "1" }, 'job.progress is "1", but should be a number'],
    [{ ...JOB, id: undefined }, "job.id is missing, but should be a string"],
    [{ ...JOB, created_at: "yesterday" }, "job.created_at"],
    [{ ...JOB, warnings: [1] }, "job.warnings[0] is 1"],
    [{ ...JOB, warnings: [{ severity: "info" }] }, "job.warnings[0].code is missing"],
    [{ ...JOB, track: "2" }, 'job.track is "2", but should be a number'],
    [[], "job is [], but should be an object"],
    [null, "job is null"],
  ])("refuses what it cannot believe, naming the field", (value, message) => {
    expect(() => parseJob(value)).toThrow(UnreadableAnswer);
    expect(() => parseJob(value)).toThrow(message);
  });
});

describe("reading other answers", () => {
  it("reads a page of recordings", () => {
    const recording = {
      id: "r1",
      user_email: "a@b",
      file_name: null,
      content_type: "audio/webm",
      size_bytes: 3,
      created_at: "2026-11-23T12:00:00Z",
      jobs: [JOB],
    };
    const page = parseRecordingPage({ items: [recording], next_page_token: null });
    expect(page.items[0]?.jobs[0]?.step).toBe("denoise");
    const short = { ...recording, jobs: undefined, newest_job: JOB, job_counts: { total: 3 } };
    const [entry] = parseRecordingPage({ items: [short], next_page_token: null }).items;
    expect([entry?.jobs.length, entry?.job_count]).toEqual([1, 3]);
    expect(() => parseRecordingPage({ items: {} })).toThrow("recordings.items is {}, but should be a list");
  });

  it("reads levels that could not be measured as null", () => {
    const measured = { duration_ms: 3000, sample_rate: 48_000, integrated_lufs: null, true_peak_dbtp: -1.2 };
    const report = parseReport({ source: "WebM, Opus", input: measured, output: measured, steps: [], elapsed_ms: 9 });
    expect(report.input).toMatchObject(measured);
  });
});

describe("words for what went wrong", () => {
  it("come from the problem, each detail once, with what to do next", () => {
    const body = JSON.stringify({
      type: "/problems/invalid-field",
      title: "A field's value is not allowed",
      status: 422,
      detail: "user_email is not an address",
      errors: [
        { detail: "user_email is not an address", pointer: "/user_email" },
        { detail: "preset is unknown", pointer: "/preset" },
      ],
      request_id: "q",
    });
    expect(words(new RequestFailed(problemFromBody(422, body)))).toEqual({
      title: "A field's value is not allowed",
      detail: "User_email is not an address. Preset is unknown.",
      next: "Change what is named above, then try again.",
      request_id: "q",
    });
  });

  it("are found also where a proxy answers with its own page", () => {
    const trouble = words(new RequestFailed(problemFromBody(502, "<html>Bad Gateway</html>")));
    expect(trouble.title).toBe("The server answered 502");
    expect(trouble.next).toMatch(/try again in a few minutes/);
  });

  it("tell a server that is away from a page that is broken", () => {
    expect(words(new ServerUnreachable("x")).title).toBe("The server cannot be reached");
    expect(words(new TypeError("x is not a function")).title).toBe("Something went wrong in the page");
  });

  it("are sentences", () => {
    expect(sentence("the size is 3 MB, at most 2 MB")).toBe("The size is 3 MB, at most 2 MB.");
    expect(sentence("Why?")).toBe("Why?");
    expect(sentence("  ")).toBe("");
  });
});
