/** The page: the canvas, and what floats over it. */

import { ReactFlowProvider } from "@xyflow/react";
import { lazy, Suspense, useEffect } from "react";
import { Canvas } from "./canvas/Canvas";
import { listenToPage } from "./commands/listen";
import { Announcer } from "./panels/Announcer";
import { Breadcrumbs } from "./panels/Breadcrumbs";
import { ContextMenu, RefusalCard } from "./panels/Menus";
import { NodeMenu } from "./panels/NodeMenu";
import { Banners, Dialog, DropHint, EmptyCanvas, Help, Notices } from "./panels/Overlays";
import { RunBar } from "./panels/RunBar";
import { Sheets } from "./panels/Sheets";
import { SidePanels } from "./panels/SidePanels";
import { SocketCard } from "./panels/SocketCard";
import { TappingBanner } from "./panels/TappingBanner";
import { TourInvitation } from "./panels/TourInvitation";
import { TopBar } from "./panels/TopBar";
import { Viewer } from "./panels/Viewer";
import { watchBatches } from "./store/alerts";
import { type UiState, useUi } from "./store/ui";
import { followFocus } from "./panels/Sheet";

const loadPalette = () => import("./panels/Palette");
const Palette = lazy(loadPalette);
const LATER = 3000; // milliseconds after which it is loaded anyway, so that no letter typed into it is lost

function useTheme(): void {
  const theme = useUi((state) => state.theme);
  useEffect(() => {
    if (theme === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
  }, [theme]);
}

/** Whether something lies over the whole page: until it goes, nothing below it can be reached. */
const isCovered = ({ sheet, viewer, help, dialog }: UiState): boolean =>
  Boolean(sheet ?? viewer ?? dialog) || help;

export function App() {
  useTheme();
  useEffect(listenToPage, []);
  useEffect(() => {
    const timer = setTimeout(() => void loadPalette(), LATER);
    return () => clearTimeout(timer);
  }, []);
  const palette = useUi((state) => state.palette !== null);
  const covered = useUi(isCovered);
  useEffect(watchBatches, []);
  useEffect(followFocus, []);
  return (
    <ReactFlowProvider>
      <div className="page" inert={covered}>
        <Canvas />
        <EmptyCanvas />
        <TopBar />
        <Banners />
        <Breadcrumbs />
        <SidePanels />
        <RunBar />
        <TourInvitation />
      </div>
      <Notices />
      <RefusalCard />
      <TappingBanner />
      <SocketCard />
      <NodeMenu />
      <Suspense>{palette && <Palette />}</Suspense>
      <Announcer />
      <ContextMenu />
      <Sheets />
      <Viewer />
      <Help />
      <Dialog />
      <DropHint />
    </ReactFlowProvider>
  );
}
