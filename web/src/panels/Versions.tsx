/** Earlier versions of the open workflow, and workflows that were closed unsaved, each with its picture. */

import { useEffect, useState } from "react";
import { plural, t } from "../i18n/t";
import { openWorkflow } from "../store/files";
import {
  closedVersions,
  goBackTo,
  type Version,
  versionsOfActive,
  type Why,
} from "../store/versions";
import { closeSheet, Sheet } from "./Sheet";

const reasons = (): Record<Why, string> => ({
  opened: t("as it was opened"),
  run: t("as it was run"),
  saved: t("as it was saved"),
  closed: t("as it was closed"),
  edited: t("while it was edited"),
});

function useVersions(load: () => Promise<Version[]>): Version[] | null {
  const [versions, setVersions] = useState<Version[] | null>(null);
  useEffect(() => {
    let mounted = true;
    void load()
      .catch(() => []) // the browser's store is closed to us: there are none
      .then((found) => mounted && setVersions(found));
    return () => {
      mounted = false;
    };
  }, [load]);
  return versions;
}

function Picture({ picture }: { picture: Blob | null }) {
  const [url, setUrl] = useState<string>();
  useEffect(() => {
    if (!picture) return;
    const made = URL.createObjectURL(picture);
    setUrl(made);
    return () => URL.revokeObjectURL(made);
  }, [picture]);
  return <img className="version-picture" src={url} alt="" />;
}

function Card({ version, onPick }: { version: Version; onPick(version: Version): void }) {
  const time = new Date(version.time).toLocaleString(undefined, {
    dateStyle: "medium",
    timeStyle: "short",
  });
  return (
    <button
      type="button"
      className="version"
      data-version={version.number}
      onClick={() => {
        onPick(version);
        closeSheet();
      }}
    >
      <Picture picture={version.picture} />
      <span className="version-name">{version.name}</span>
      <span className="list-detail">
        {time}, {reasons()[version.why]}
      </span>
      <span className="list-detail">{plural(version.nodes, "one node", "{count} nodes")}</span>
    </button>
  );
}

const openAnew = ({ workflow, name }: Version) => void openWorkflow(workflow, { name });

export default function Versions() {
  const own = useVersions(versionsOfActive);
  const closed = useVersions(closedVersions);
  return (
    <Sheet title={t("Earlier versions")} name="versions">
      <p className="list-detail">
        {t("Click one to go back to it. What is open now is kept as a version, too.")}
      </p>
      <div className="versions">
        {own?.map((version) => (
          <Card key={version.number} version={version} onPick={goBackTo} />
        ))}
      </div>
      {own?.length === 0 && (
        <div className="empty">
          {t("None yet. One is taken before the first edit, with each run, and when you save.")}
        </div>
      )}
      {closed && closed.length > 0 && (
        <>
          <h3 className="versions-heading">{t("Closed without saving")}</h3>
          <div className="versions">
            {closed.map((version) => (
              <Card key={version.number} version={version} onPick={openAnew} />
            ))}
          </div>
        </>
      )}
    </Sheet>
  );
}
