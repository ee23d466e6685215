/** The model files of this machine and what each one is. */

import { useRef, useState } from "react";
import type { ModelFile } from "../api/types";
import { useCatalogue } from "../store/catalogue";
import { useModelPictures } from "../store/modelFiles";
import { FamilyBadge, whyNot } from "../widgets/FamilyBadge";
import { ModelPicture } from "../widgets/ModelFileList";
import { Popover } from "../widgets/Popover";
import { FileIdentity } from "./FileIdentity";
import { categoryTitle } from "./Library";
import { t } from "../i18n/t";

interface RowProps {
  folder: string;
  file: ModelFile;
  picture: string | undefined;
}

function Row({ folder, file, picture }: RowProps) {
  const button = useRef<HTMLButtonElement>(null);
  const [open, setOpen] = useState(false);
  const about = [
    file.trouble,
    whyNot(file),
    file.evidence,
    file.parts.length ? t("holds {parts}", { parts: file.parts.join(", ") }) : "",
  ];
  return (
    <>
      <button
        ref={button}
        type="button"
        className="model-row model-row-button"
        aria-expanded={open}
        title={about.filter(Boolean).join("\n")}
        data-model={file.name}
        onClick={() => setOpen(!open)}
      >
        <ModelPicture file={file} url={picture} />
        <span className="library-name">{file.title ?? file.name}</span>
        <FamilyBadge file={file} />
      </button>
      {open && (
        <Popover anchor={button} onClose={() => setOpen(false)} width={320}>
          <FileIdentity folder={folder} file={file} />
        </Popover>
      )}
    </>
  );
}

function Folder({ folder, files }: { folder: string; files: ModelFile[] }) {
  const pictures = useModelPictures(folder);
  return (
    <section>
      <div className="panel-heading">{categoryTitle(folder)}</div>
      {files.map((file) => (
        <Row key={file.name} folder={folder} file={file} picture={pictures[file.name]} />
      ))}
    </section>
  );
}

export function Models() {
  const models = useCatalogue((state) => state.models);
  const folders = Object.entries(models).filter(([, files]) => files.length > 0);
  return (
    <div className="panel-scroll" data-test="models">
      {folders.map(([folder, files]) => (
        <Folder key={folder} folder={folder} files={files} />
      ))}
      <div className="empty">
        {t("Put model files into the folder")} <code>models</code>
        {t(
          "; they appear here by themselves. What a file is, is read from the file, not from its name. Click one to see why, and to say it yourself where the file leaves it open.",
        )}
      </div>
    </div>
  );
}
