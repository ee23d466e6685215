/** A note: Markdown on the canvas, written after a double click. */

import type { NodeProps } from "@xyflow/react";
import { Pin } from "lucide-react";
import { memo, useEffect, useRef, useState } from "react";
import type { FlowNode } from "../canvas/flow";
import { edit, newGesture, useActive } from "../store/documents";
import { ui, useUi } from "../store/ui";
import { setNote } from "../workflow/frames";
import { ofThing } from "../workflow/things";
import { FrameCorner, Palette } from "./FrameParts";
import { t } from "../i18n/t";

function Rendered({ text }: { text: string }) {
  const [html, setHtml] = useState("");
  useEffect(() => {
    let mounted = true;
    void import("./markdown").then(({ toHtml }) => {
      if (mounted) setHtml(toHtml(text));
    });
    return () => {
      mounted = false;
    };
  }, [text]);
  if (!text.trim())
    return <p className="note-empty">{t("Double click to write. Markdown works.")}</p>;
  // Sanitised by DOMPurify in `markdown.ts`.
  return <div className="note-text" dangerouslySetInnerHTML={{ __html: html }} />;
}

function Writing({ id, text }: { id: string; text: string }) {
  const gesture = useRef(newGesture());
  return (
    <textarea
      className="note-field nodrag nowheel"
      autoFocus
      value={text}
      placeholder={t("Markdown: # title, **bold**, - list")}
      aria-label={t("Note")}
      data-test="note-field"
      onChange={(event) => {
        const written = event.target.value;
        edit((workflow) => setNote(workflow, id, { text: written }), gesture.current);
      }}
      onBlur={() => ui({ renaming: null })}
      onKeyDown={(event) => {
        if (event.key !== "Escape") return;
        event.stopPropagation();
        event.currentTarget.blur();
      }}
    />
  );
}

export const NoteView = memo(function NoteView({ id: name, selected }: NodeProps<FlowNode>) {
  const { id } = ofThing(name);
  const note = useActive(({ workflow }) => workflow.notes.find((frame) => frame.id === id));
  const writing = useUi((state) => state.renaming === name);
  if (!note) return null;
  return (
    <aside
      className="note"
      data-note={id}
      data-colour={note.colour}
      data-selected={selected || undefined}
      aria-label={t("Note")}
      onDoubleClick={() => ui({ renaming: name })}
    >
      {writing ? <Writing id={id} text={note.text} /> : <Rendered text={note.text} />}
      {note.pinned && <Pin className="note-pin" size={12} aria-label={t("pinned")} />}
      {selected && !writing && (
        <div className="note-tools">
          <Palette
            current={note.colour}
            onPick={(colour) => edit((workflow) => setNote(workflow, id, { colour }))}
          />
        </div>
      )}
      {selected && !note.pinned && (
        <FrameCorner resize={(workflow, box) => setNote(workflow, id, box)} />
      )}
    </aside>
  );
});
