/** A picture from this machine: chosen, dropped on the field, or pasted while it has the focus. */

import { Brush, Crop, ImagePlus } from "lucide-react";
import { type DragEvent, useRef, useState } from "react";
import { api, ApiError, fileUrl } from "../api/client";
import { notify, ui, useUi } from "../store/ui";
import type { WidgetProps } from "./props";
import { t } from "../i18n/t";

export function ImageFileField({ node, widget, value, onChange }: WidgetProps) {
  const chooser = useRef<HTMLInputElement>(null);
  const [over, setOver] = useState(false);
  const [busy, setBusy] = useState(false);
  const inSheet = useUi((state) => state.sheet !== null); // there the value is not the canvas's
  const name = typeof value === "string" && value ? value : null;

  const take = async (file: File | undefined | null) => {
    if (!file) return;
    setBusy(true);
    try {
      onChange((await api.upload(file, file.name || "pasted.png")).name);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      notify("error", error.message);
    } finally {
      setBusy(false);
    }
  };
  const paint = (tool: "brush" | "crop") => {
    if (name) ui({ sheet: { kind: "painter", node, widget: widget.name, name, tool } });
  };
  const drop = (event: DragEvent) => {
    event.preventDefault();
    event.stopPropagation(); // elsewhere on the page a picture opens the workflow inside it
    setOver(false);
    void take(event.dataTransfer.files[0]);
  };
  return (
    <div className="image-field">
      <button
        type="button"
        className="image-drop nodrag"
        data-widget={widget.name}
        data-over={over || undefined}
        data-empty={!name || undefined}
        aria-label={
          name
            ? t("{title}: {name}. Choose another", { title: widget.title, name })
            : t("{title}: choose a picture", { title: widget.title })
        }
        onClick={() => chooser.current?.click()}
        onDragOver={(event) => {
          event.preventDefault();
          event.stopPropagation();
          setOver(true);
        }}
        onDragLeave={() => setOver(false)}
        onDrop={drop}
        onPaste={(event) => {
          const file = [...event.clipboardData.files].find((f) => f.type.startsWith("image/"));
          if (!file) return;
          event.stopPropagation();
          event.preventDefault();
          void take(file);
        }}
      >
        {name ? (
          <img src={fileUrl("input", name, 512)} alt={name} draggable={false} />
        ) : (
          <span>
            <ImagePlus size={20} aria-hidden="true" />
            {busy ? t("Reading the picture…") : t("Choose, drop or paste a picture")}
          </span>
        )}
      </button>
      {name && !inSheet && (
        <div className="image-tools">
          <div className="image-name">{busy ? t("Reading the picture…") : name}</div>
          <button
            type="button"
            className="icon-button nodrag"
            aria-label={t("Paint a mask")}
            title={t("Paint a mask: the node's mask output")}
            data-test="paint-mask"
            onClick={() => paint("brush")}
          >
            <Brush size={14} />
          </button>
          <button
            type="button"
            className="icon-button nodrag"
            aria-label={t("Cut a piece out")}
            title={t("Cut a piece out")}
            onClick={() => paint("crop")}
          >
            <Crop size={14} />
          </button>
        </div>
      )}
      <input
        ref={chooser}
        type="file"
        accept="image/*"
        hidden
        data-test={`upload-${widget.name}`}
        onChange={(event) => {
          void take(event.target.files?.[0]);
          event.target.value = "";
        }}
      />
    </div>
  );
}
