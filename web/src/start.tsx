/** The editor, once its texts are there. */

import { lazy, StrictMode, Suspense } from "react";
import { createRoot } from "react-dom/client";
import "@xyflow/react/dist/base.css";
import "./theme/index.css";
import { App } from "./App";
import { begin, beginApp } from "./store/session";

/** Loaded only where the address asks for a workflow's form: "/?app=NAME". */
const AppPage = lazy(() => import("./app/AppPage"));

const app = new URLSearchParams(location.search).get("app");

function show(): void {
  const root = document.getElementById("root");
  if (!root) return;
  createRoot(root).render(
    <StrictMode>
      {app ? (
        <Suspense>
          <AppPage name={app} />
        </Suspense>
      ) : (
        <App />
      )}
    </StrictMode>,
  );
}

if (app) {
  beginApp(app);
  show();
} else void begin().then(show);
