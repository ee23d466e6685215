/** Say what a model file is. The server keeps it by the file's content; no workflow changes. */

import { api, ApiError } from "../api/client";
import type { Statement } from "../api/types";
import { saidOf } from "../workflow/identity";
import { loadModels, useCatalogue } from "./catalogue";
import { notify } from "./ui";
import { t } from "../i18n/t";

/** Keep the statement, or take it back where its space is null; a notice offers to undo it. */
export async function say(statement: Statement): Promise<void> {
  const { models, spaces } = useCatalogue.getState();
  const { folder, name, space } = statement;
  const file = models[folder]?.find((each) => each.name === name);
  const before = file ? saidOf(file) : null;
  if (space === before) return;
  try {
    await api.state(statement);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    return notify("error", error.message);
  }
  const title = space === null ? null : (spaces.latent[space]?.title ?? space);
  const text = title
    ? t("{name} counts as {title} from now on.", { name, title })
    : t("{name} speaks for itself again.", { name });
  notify("info", text, { title: t("Undo"), run: () => void say({ folder, name, space: before }) });
  await loadModels(); // the checker is asked again as soon as they have changed
}
