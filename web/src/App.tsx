/** The page: the canvas, and what floats over it. */

import { ReactFlowProvider } from "@xyflow/react";
import { useEffect } from "react";
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
import { useUi } from "./store/ui";

function useTheme(): void {
  const theme = useUi((state) => state.theme);
  useEffect(() => {
    if (theme === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
  }, [theme]);
}

export function App() {
  useTheme();
  useEffect(listenToPage, []);
  return (
    <ReactFlowProvider>
      <Canvas />
      <EmptyCanvas />
      <TopBar />
      <Banners />
      <Breadcrumbs />
      <SidePanels />
      <RunBar />
      <TourInvitation />
      <Notices />
      <RefusalCard />
      <TappingBanner />
      <SocketCard />
      <NodeMenu />
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
