/** The files that a loader may name, each with its picture; those that do not fit say why. */

import type { ModelFile, WidgetDefinition } from "../api/types";
import { useMisfits, useModelPictures } from "../store/modelFiles";
import { useCatalogue } from "../store/catalogue";
import { colourOf } from "../theme/spaces";
import { FamilyBadge, isBarred, whyNot } from "./FamilyBadge";
import { PickList } from "./PickList";
import { t } from "../i18n/t";

interface Props {
  node: string;
  widget: WidgetDefinition;
  files: ModelFile[];
  current: string | null;
  onPick(name: string): void;
}

/** A model's picture; where it has none, its latent spaces' colours. */
export function ModelPicture({ file, url }: { file: ModelFile; url: string | undefined }) {
  const spaces = useCatalogue((state) => state.spaces.latent);
  if (url) return <img className="model-picture" src={url} alt="" loading="lazy" />;
  return (
    <span className="model-picture" aria-hidden="true">
      {(file.spaces?.latent ?? []).slice(0, 2).map((id) => {
        const { colour } = colourOf("latent", id, Object.keys(spaces));
        return <span key={id} className="badge-dot" style={{ background: colour }} />;
      })}
    </span>
  );
}

export function ModelFileList({ node, widget, files, current, onPick }: Props) {
  const folder = widget.folder ?? "checkpoints";
  const pictures = useModelPictures(folder);
  const misfits = useMisfits(node, widget.name);
  return (
    <PickList
      picks={files.map((file) => {
        const barred = file.trouble ?? (isBarred(file) ? whyNot(file) : undefined);
        return {
          key: file.name,
          label: file.title ?? file.name,
          words: `${file.name} ${file.family ?? ""}`,
          icon: <ModelPicture file={file} url={pictures[file.name]} />,
          detail: <FamilyBadge file={file} />,
          disabled: barred,
          // It can be chosen all the same: who changes a model changes its VAE next.
          reason: barred ? undefined : misfits[file.name],
        };
      })}
      current={current ?? undefined}
      placeholder={t("Search {folder}", { folder })}
      label={widget.title}
      empty={
        folder === "latents"
          ? t("No file yet. Save Latent writes them; they appear here by themselves.")
          : t(
              "No file yet. Put model files into models/{folder}; they appear here by themselves.",
              { folder },
            )
      }
      onPick={onPick}
    />
  );
}
