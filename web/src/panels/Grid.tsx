/** A batch as a grid: its first axes are columns and rows, a picture in each cell as it is made. */

import { FileText, Image as ImageIcon, RotateCcw, Square } from "lucide-react";
import { type CSSProperties, memo, useEffect, useState } from "react";
import type { BatchGrid } from "../api/queue";
import type { RunAnswer } from "../api/types";
import { openRun } from "../store/files";
import { type Cell, lookAtGrid, sheetOf, useGrid } from "../store/grid";
import { cancelQueue, repeatFailed, useQueue } from "../store/queue";
import { useRuns } from "../store/runs";
import { view, type Viewed } from "../store/viewer";
import { thumbnailFor } from "../workflow/tiles";
import { tally } from "./QueueBatches";
import { Sheet } from "./Sheet";
import { t } from "../i18n/t";

const SMALLEST = 64;
const LARGEST = 384;

/** The batch with its cells, looked at anew whenever one of its runs goes on. */
function useBatchGrid(id: string): BatchGrid | null {
  const grid = useGrid((state) => state.grid);
  const counts = useQueue((state) =>
    JSON.stringify(state.batches.find((batch) => batch.id === id)?.counts),
  );
  useEffect(() => void lookAtGrid(id), [id, counts]);
  return grid?.id === id ? grid : null;
}

const pictureOf = (run: RunAnswer) =>
  run.outputs?.find(({ kind, url }) => kind === "image" && url)?.url ?? null;

/** Every cell that has a picture, in the grid's order. */
function pictures(grid: BatchGrid): Viewed[] {
  return grid.cells.flatMap(({ run }) => {
    const url = pictureOf(run);
    return url
      ? [{ url, thumbnail: thumbnailFor(url, 64, 1), title: run.name ?? "", run: run.id }]
      : [];
  });
}

function open(grid: BatchGrid, run: string): void {
  const all = pictures(grid);
  view(
    all,
    all.findIndex((one) => one.run === run),
  );
}

interface CellProps {
  cell: Cell | null;
  side: number;
  onOpen(run: string): void;
}

const GridCell = memo(function GridCell({ cell, side, onOpen }: CellProps) {
  const live = useRuns((state) => (cell ? state.runs[cell.run.id] : undefined));
  if (!cell) return <div className="grid-cell" data-state="none" />;
  const { run } = cell;
  const url = pictureOf(run);
  const status = url ? "finished" : run.status;
  if (url)
    return (
      <button
        type="button"
        className="grid-cell"
        data-test="grid-cell"
        data-state="finished"
        aria-label={t("{name}: open the picture", { name: run.name })}
        title={run.name}
        onClick={() => onOpen(run.id)}
      >
        <img
          src={thumbnailFor(url, side, devicePixelRatio)}
          alt=""
          loading="lazy"
          draggable={false}
        />
      </button>
    );
  if (status === "failed")
    return (
      <button
        type="button"
        className="grid-cell"
        data-test="grid-cell"
        data-state="failed"
        title={t("{name}: {value} Click to open its workflow.", {
          name: run.name,
          value: run.error ?? "failed",
        })}
        onClick={() => void openRun(run.id)}
      >
        <span>{run.error ?? t("Failed")}</span>
      </button>
    );
  const preview = live && Object.values(live.previews).at(-1);
  const step = live && Object.values(live.progress).at(-1);
  return (
    <div className="grid-cell" data-test="grid-cell" data-state={status} title={run.name}>
      {status === "running" && preview ? (
        <img src={preview} alt="" draggable={false} />
      ) : (
        <span>{WORDS[status]}</span>
      )}
      {status === "running" && step && (
        <span className="meter">
          <span style={{ width: `${(step.step / Math.max(1, step.steps)) * 100}%` }} />
        </span>
      )}
    </div>
  );
});

const WORDS: Record<RunAnswer["status"], string> = {
  waiting: t("waits"),
  interrupted: t("waits"),
  running: t("runs"),
  finished: t("no picture"),
  failed: t("failed"),
  cancelled: t("cancelled"),
};

interface TableProps {
  grid: BatchGrid;
  sheet: number[];
  side: number;
}

/** Two axes: columns and rows, with their labels in sight while one scrolls. */
function Table({ grid, sheet, side }: TableProps) {
  const [columns, rows] = grid.axes;
  const cells = sheetOf(grid, sheet);
  return (
    <table className="grid-table" aria-label={grid.name || t("Batch")}>
      <thead>
        <tr>
          <th className="grid-corner">
            <span>{columns?.title} →</span>
            <span>{rows?.title} ↓</span>
          </th>
          {columns?.labels.map((label, index) => (
            <th key={index} scope="col" title={label}>
              <span>{label}</span>
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {cells.map((line, row) => (
          <tr key={row}>
            <th scope="row" title={rows?.labels[row]}>
              <span>{rows?.labels[row]}</span>
            </th>
            {line.map((cell, column) => (
              <td key={column}>
                <GridCell cell={cell} side={side} onOpen={(run) => open(grid, run)} />
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** One axis: as many beside each other as the window has room for. */
function Line({ grid, side }: { grid: BatchGrid; side: number }) {
  const [line] = sheetOf(grid, []);
  return (
    <div className="grid-line" role="list" aria-label={grid.axes[0]?.title}>
      {line?.map((cell, index) => (
        <figure key={index} role="listitem">
          <GridCell cell={cell} side={side} onOpen={(run) => open(grid, run)} />
          <figcaption title={grid.axes[0]?.labels[index]}>{grid.axes[0]?.labels[index]}</figcaption>
        </figure>
      ))}
    </div>
  );
}

interface BarProps {
  grid: BatchGrid;
  sheet: number[];
  onSheet(sheet: number[]): void;
  side: number;
  onSide(side: number): void;
}

function Bar({ grid, sheet, onSheet, side, onSide }: BarProps) {
  const { left, failed, finished, all } = tally(grid);
  return (
    <div className="grid-bar">
      <span data-test="grid-count">
        {t("{finished} of {all}", { finished, all })}
        {failed > 0 && t(", {failed} failed", { failed })}
      </span>
      <span className="meter" hidden={left === 0}>
        <span style={{ width: `${((all - left) / Math.max(1, all)) * 100}%` }} />
      </span>
      {grid.axes.slice(2).map((axis, index) => (
        <label key={index}>
          {axis.title}
          <select
            className="field"
            data-test="grid-axis"
            value={sheet[index] ?? 0}
            onChange={(event) => {
              const chosen = grid.axes.slice(2).map((_, other) => sheet[other] ?? 0);
              chosen[index] = Number(event.target.value);
              onSheet(chosen);
            }}
          >
            {axis.labels.map((label, place) => (
              <option key={place} value={place}>
                {label}
              </option>
            ))}
          </select>
        </label>
      ))}
      <label className="grid-size">
        {t("Size")}
        <input
          type="range"
          min={SMALLEST}
          max={LARGEST}
          step={16}
          value={side}
          onChange={(event) => onSide(Number(event.target.value))}
        />
      </label>
      <span className="grid-actions">
        {left > 0 && (
          <button type="button" className="button" onClick={() => void cancelQueue(grid.id)}>
            <Square size={12} aria-hidden="true" />
            {t("Cancel the rest")}
          </button>
        )}
        {failed > 0 && (
          <button type="button" className="button" onClick={() => void repeatFailed(grid.id)}>
            <RotateCcw size={14} aria-hidden="true" />
            {t("Retry failed")}
          </button>
        )}
        <a
          className="button"
          href={`/api/batches/${grid.id}/sheet.png`}
          target="_blank"
          rel="noreferrer"
          data-test="grid-png"
        >
          <ImageIcon size={14} aria-hidden="true" />
          {t("Contact sheet")}
        </a>
        <a
          className="button"
          href={`/api/batches/${grid.id}/sheet.html`}
          target="_blank"
          rel="noreferrer"
          data-test="grid-html"
        >
          <FileText size={14} aria-hidden="true" />
          {t("Page")}
        </a>
      </span>
    </div>
  );
}

export default function Grid({ sheet: { batch } }: { sheet: { batch: string } }) {
  const grid = useBatchGrid(batch);
  const [sheet, setSheet] = useState<number[]>([]);
  const [side, setSide] = useState(innerWidth < 700 ? 104 : 176);
  return (
    <Sheet title={grid?.name || t("Batch")} name="grid" full>
      {grid && <Bar grid={grid} sheet={sheet} onSheet={setSheet} side={side} onSide={setSide} />}
      <div className="grid-scroll" style={{ "--cell": `${side}px` } as CSSProperties}>
        {grid &&
          (grid.axes.length > 1 ? (
            <Table grid={grid} sheet={sheet} side={side} />
          ) : (
            <Line grid={grid} side={side} />
          ))}
      </div>
    </Sheet>
  );
}
