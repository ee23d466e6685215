/** The sheet that is open. Each one's code is loaded when it is opened for the first time. */

import { type ComponentType, lazy, Suspense } from "react";
import { type Sheet, useUi } from "../store/ui";

type Of<Kind> = { sheet: Extract<Sheet, { kind: Kind }> };

/** To add a sheet, add a row. */
const SHEETS: { [Kind in Sheet["kind"]]: ComponentType<Of<Kind>> } = {
  app: lazy(() => import("../app/AppEditor")),
  "node-help": lazy(() => import("./NodeHelp")),
  inspect: lazy(() => import("../inspect/Inspect")),
  timeline: lazy(() => import("../inspect/Timeline")),
  painter: lazy(() => import("../painter/Painter")),
  versions: lazy(() => import("./Versions")),
  templates: lazy(() => import("./Templates")),
  batch: lazy(() => import("./BatchDialog")),
  gallery: lazy(() => import("./GallerySheet")),
  grid: lazy(() => import("./Grid")),
  settings: lazy(() => import("./Settings")),
  "run-values": lazy(() => import("./RunValues")),
};

export function Sheets() {
  const sheet = useUi((state) => state.sheet);
  if (!sheet) return null;
  const Content = SHEETS[sheet.kind] as ComponentType<{ sheet: Sheet }>;
  return (
    <Suspense fallback={<div className="sheet" aria-busy="true" />}>
      <Content sheet={sheet} />
    </Suspense>
  );
}
