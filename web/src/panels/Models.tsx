/** The model files of this machine and what each one is. */

import type { ModelFile } from "../api/types";
import { useCatalogue } from "../store/catalogue";
import { FamilyBadge } from "../widgets/ModelFileField";
import { categoryTitle } from "./Library";

function Row({ file }: { file: ModelFile }) {
  const about = [
    file.trouble,
    file.evidence,
    file.parts.length ? `holds ${file.parts.join(", ")}` : "",
  ];
  return (
    <div className="model-row" title={about.filter(Boolean).join("\n")} data-model={file.name}>
      <span className="library-name">{file.title ?? file.name}</span>
      <FamilyBadge file={file} />
    </div>
  );
}

export function Models() {
  const models = useCatalogue((state) => state.models);
  const folders = Object.entries(models).filter(([, files]) => files.length > 0);
  return (
    <div className="panel-scroll" data-test="models">
      {folders.map(([folder, files]) => (
        <section key={folder}>
          <div className="panel-heading">{categoryTitle(folder)}</div>
          {files.map((file) => (
            <Row key={file.name} file={file} />
          ))}
        </section>
      ))}
      <div className="empty">
        Put model files into the folder <code>models</code>; they appear here by themselves. What a
        file is, is read from the file, not from its name.
      </div>
    </div>
  );
}
