// Which microphone, and whether the browser may change its sound. Browsers name the microphones only
// after the first permission; until then there is nothing to choose from.

import { useEffect, useId, useState } from "react";
import type { MicrophoneChoice } from "./microphone";
import { t } from "@/i18n";
import styles from "./recording.module.css";

type Props = { choice: MicrophoneChoice; onChange: (choice: MicrophoneChoice) => void };

export function MicrophoneOptions({ choice, onChange }: Props) {
  const devices = useMicrophones();
  const id = useId();
  return (
    <details className={styles.options}>
      <summary>{t("microphone.options")}</summary>
      {devices.length > 1 && (
        <p>
          <label htmlFor={id}>{t("record.microphone")}</label>
          <select
            id={id}
            value={choice.deviceId ?? ""}
            onChange={(event) => onChange({ ...choice, deviceId: event.target.value === "" ? null : event.target.value })}
          >
            <option value="">{t("microphone.any")}</option>
            {devices.map((device) => (
              <option key={device.deviceId} value={device.deviceId}>
                {device.label}
              </option>
            ))}
          </select>
        </p>
      )}
      <label className={styles.check}>
        <input
          type="checkbox"
          checked={choice.browserProcessing}
          onChange={(event) => onChange({ ...choice, browserProcessing: event.target.checked })}
        />
        <span>
          {t("microphone.processing")}
        </span>
      </label>
    </details>
  );
}

function useMicrophones(): MediaDeviceInfo[] {
  const [found, setFound] = useState<MediaDeviceInfo[]>([]);
  useEffect(() => {
    const media = navigator.mediaDevices as MediaDevices | undefined;
    if (media === undefined) return;
    let wanted = true;
    const look = () => {
      media.enumerateDevices().then(
        (devices) => {
          if (!wanted) return;
          setFound(devices.filter((device) => device.kind === "audioinput" && device.label !== ""));
        },
        () => undefined, // without a list the browser's choice remains
      );
    };
    look();
    media.addEventListener("devicechange", look);
    return () => {
      wanted = false;
      media.removeEventListener("devicechange", look);
    };
  }, []);
  return found;
}
