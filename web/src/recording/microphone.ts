// Opens the microphone as it is: the browser's own echo, noise and gain corrections stay off unless
// asked for, because they clip and pump, and correcting is what Retake does better.

export type MicrophoneTrouble = "denied" | "missing" | "busy" | "insecure" | "unsupported" | "other";

export class MicrophoneError extends Error {
  override name = "MicrophoneError";
  constructor(
    readonly trouble: MicrophoneTrouble,
    cause?: unknown,
  ) {
    super(`the microphone cannot be used: ${trouble}`, { cause });
  }
}

export type MicrophoneChoice = {
  /** null for the one the browser offers first. */
  deviceId: string | null;
  browserProcessing: boolean;
};

export async function openMicrophone(choice: MicrophoneChoice): Promise<MediaStream> {
  if (!window.isSecureContext) throw new MicrophoneError("insecure");
  // Older browsers lack what the type says is always there.
  const devices = navigator.mediaDevices as MediaDevices | undefined;
  if (devices === undefined || typeof MediaRecorder === "undefined") throw new MicrophoneError("unsupported");
  try {
    return await devices.getUserMedia({
      audio: {
        echoCancellation: choice.browserProcessing,
        noiseSuppression: choice.browserProcessing,
        autoGainControl: choice.browserProcessing,
        ...(choice.deviceId === null ? {} : { deviceId: { exact: choice.deviceId } }),
      },
    });
  } catch (error) {
    throw new MicrophoneError(troubleOf(error), error);
  }
}

function troubleOf(error: unknown): MicrophoneTrouble {
  switch (error instanceof DOMException ? error.name : "") {
    case "NotAllowedError":
    case "SecurityError":
      return "denied";
    case "NotFoundError":
    case "OverconstrainedError":
      return "missing";
    case "NotReadableError":
    case "AbortError":
      return "busy";
    default:
      return "other";
  }
}
