/** A model file, with what it is: the family, and the latent space in its colour. */

import { ChevronDown } from "lucide-react";
import { useRef, useState } from "react";
import type { ModelFile } from "../api/types";
import { useCatalogue } from "../store/catalogue";
import { FileIdentity } from "../panels/FileIdentity";
import { FamilyBadge, whyNot } from "./FamilyBadge";
import { ModelFileList } from "./ModelFileList";
import { Popover } from "./Popover";
import type { WidgetProps } from "./props";
import { t } from "../i18n/t";

const NONE: ModelFile[] = [];

export function ModelFileField({ node, widget, value, onChange }: WidgetProps) {
  const folder = widget.folder ?? "checkpoints";
  const files = useCatalogue((state) => state.models[folder]) ?? NONE;
  const button = useRef<HTMLButtonElement>(null);
  const [open, setOpen] = useState(false);
  const file = files.find((candidate) => candidate.name === value);
  const name = typeof value === "string" && value ? value : null;
  return (
    <>
      <button
        ref={button}
        type="button"
        className="field field-choice nodrag"
        aria-haspopup="listbox"
        aria-expanded={open}
        title={file?.trouble ?? ((file && whyNot(file)) || name) ?? undefined}
        data-widget={widget.name}
        data-unknown={!file || undefined}
        onClick={() => setOpen(!open)}
      >
        <span className="only-heard">{`${widget.title}: `}</span>
        <span className="field-text">{file?.title ?? name ?? t("choose a file…")}</span>
        {file && <FamilyBadge file={file} />}
        <ChevronDown size={14} aria-hidden="true" />
      </button>
      {open && (
        <Popover anchor={button} onClose={() => setOpen(false)} width={360}>
          <ModelFileList
            node={node}
            widget={widget}
            files={files}
            current={name}
            onPick={(key) => {
              onChange(key);
              setOpen(false);
              button.current?.focus();
            }}
          />
          {file && folder !== "latents" && (
            <div className="identity-below">
              <FileIdentity folder={folder} file={file} />
            </div>
          )}
        </Popover>
      )}
    </>
  );
}
