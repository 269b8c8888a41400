// The owner's sessions: one for each browser or device that opens the same recordings.

import { described, list, optional, text, time } from "./decode";
import { forgetSession, request } from "./client";

export type Device = { id: string; current: boolean; created_at: Date; last_used_at: Date | null };

export async function listDevices(signal?: AbortSignal): Promise<Device[]> {
  const page = described("DevicePage", await request("/sessions", { signal }), "sessions");
  return list(page.items, "sessions.items", (value, where) => {
    const device = described("Device", value, where);
    return {
      id: text(device.id, `${where}.id`),
      current: device.current === true,
      created_at: time(device.created_at, `${where}.created_at`),
      last_used_at: optional(device.last_used_at, `${where}.last_used_at`, time),
    };
  });
}

/** It opens the recordings no more; they stay. */
export async function endDevice(id: string): Promise<void> {
  await request(`/sessions/${encodeURIComponent(id)}`, { method: "DELETE" });
}

export type DeviceCode = { code: string; expires_at: Date };

/** For another device, once, for ten minutes. */
export async function newCode(): Promise<DeviceCode> {
  const answer = described("SessionCode", await request("/session-codes", { method: "POST" }), "code");
  return { code: text(answer.code, "code.code"), expires_at: time(answer.expires_at, "code.expires_at") };
}

/** From now on this browser opens the recordings of whoever gave the code. */
export async function enterCode(code: string): Promise<void> {
  await request("/sessions", { method: "POST", body: { code: code.trim(), cookie: true } });
  forgetSession();
}
