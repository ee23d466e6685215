/** A group: a titled frame behind the nodes in it. Only its title takes the pointer, its body is canvas. */

import type { NodeProps } from "@xyflow/react";
import { BoxSelect, CircleSlash, CornerDownRight, Maximize2, Pin } from "lucide-react";
import { type ComponentType, memo, useState } from "react";
import type { FlowNode } from "../canvas/flow";
import { fitGroup, selectMembers, toggleGroupMode, togglePinned } from "../commands/framing";
import { edit, useActive } from "../store/documents";
import { ui, useUi } from "../store/ui";
import { setGroup } from "../workflow/frames";
import { ofThing } from "../workflow/things";
import { FrameCorner, Palette } from "./FrameParts";
import { useDetail } from "./useNode";
import { t } from "../i18n/t";

function Tool(props: {
  icon: ComponentType<{ size?: number }>;
  title: string;
  name: string;
  onClick(): void;
}) {
  const { icon: Icon, title, name, onClick } = props;
  return (
    <button
      type="button"
      className="icon-button group-tool nodrag"
      aria-label={title}
      title={title}
      data-group-tool={name}
      onClick={onClick}
    >
      <Icon size={14} />
    </button>
  );
}

function TitleField({ id, title }: { id: string; title: string }) {
  const [text, setText] = useState(title);
  return (
    <input
      className="group-field nodrag"
      autoFocus
      value={text}
      placeholder={t("Group")}
      aria-label={t("Group name")}
      onFocus={(event) => event.target.select()}
      onChange={(event) => setText(event.target.value)}
      onBlur={() => {
        ui({ renaming: null });
        edit((workflow) => setGroup(workflow, id, { title: text.trim() }));
      }}
      onKeyDown={(event) => {
        if (event.key === "Enter") event.currentTarget.blur();
        if (event.key !== "Escape") return;
        event.stopPropagation();
        ui({ renaming: null });
      }}
    />
  );
}

export const GroupView = memo(function GroupView({ id: name, selected }: NodeProps<FlowNode>) {
  const { id } = ofThing(name);
  const group = useActive(({ workflow }) => workflow.groups.find((frame) => frame.id === id));
  const renaming = useUi((state) => state.renaming === name);
  const far = useDetail() > 0;
  if (!group) return null;
  return (
    <section
      className="group"
      data-group={id}
      data-colour={group.colour}
      data-selected={selected || undefined}
      data-far={far || undefined}
      aria-label={t("Group {title}", { title: group.title })}
    >
      <header className="group-title" onDoubleClick={() => ui({ renaming: name })}>
        {renaming ? (
          <TitleField id={id} title={group.title} />
        ) : (
          <span className="group-name">{group.title || t("Group")}</span>
        )}
        {group.pinned && <Pin size={14} aria-label={t("pinned")} />}
        {selected && !far && (
          <span className="group-tools">
            <Palette
              current={group.colour}
              onPick={(colour) => edit((workflow) => setGroup(workflow, id, { colour }))}
            />
            <Tool
              icon={CornerDownRight}
              title={t("Bypass all in it")}
              name="bypass"
              onClick={() => toggleGroupMode(id, "bypass")}
            />
            <Tool
              icon={CircleSlash}
              title={t("Mute all in it")}
              name="mute"
              onClick={() => toggleGroupMode(id, "mute")}
            />
            <Tool
              icon={BoxSelect}
              title={t("Select all in it")}
              name="select"
              onClick={() => selectMembers(id)}
            />
            <Tool
              icon={Maximize2}
              title={t("Fit to what is in it")}
              name="fit"
              onClick={() => fitGroup(id)}
            />
            <Tool
              icon={Pin}
              title={group.pinned ? t("Unpin") : t("Pin")}
              name="pin"
              onClick={() => togglePinned([name])}
            />
          </span>
        )}
      </header>
      {selected && !group.pinned && (
        <FrameCorner resize={(workflow, box) => setGroup(workflow, id, box)} />
      )}
    </section>
  );
});
