/** Commands of the group "Arrange": groups, notes, dots, pins. */

import { useView } from "../store/view";
import { ofThing } from "../workflow/things";
import type { Command } from "./command";
import {
  fitGroup,
  groupSelected,
  noteHere,
  rerouteHere,
  selectMembers,
  togglePinned,
} from "./framing";
import { t } from "../i18n/t";

const chosenGroups = () =>
  [...useView.getState().selected].map(ofThing).filter(({ kind }) => kind === "group");

export const FRAMES: readonly Command[] = [
  {
    id: "group",
    title: t("Group"),
    group: "Arrange",
    keys: ["Mod+G"],
    menu: "both",
    run: groupSelected,
  },
  {
    id: "fit-group",
    title: t("Fit the group to what is in it"),
    group: "Arrange",
    menu: "group",
    run: () => chosenGroups().forEach(({ id }) => fitGroup(id)),
  },
  {
    id: "select-group",
    title: t("Select all in the group"),
    group: "Arrange",
    menu: "group",
    run: () => chosenGroups().forEach(({ id }) => selectMembers(id)),
  },
  {
    id: "note",
    title: t("Add a note"),
    group: "Arrange",
    keys: ["Shift+N"],
    menu: "canvas",
    run: noteHere,
  },
  {
    id: "reroute",
    title: t("Add a reroute"),
    group: "Arrange",
    menu: "wire",
    run: rerouteHere,
  },
  {
    id: "pin",
    title: t("Pin or unpin"),
    group: "Arrange",
    keys: ["P"],
    menu: ["node", "group", "note"],
    run: () => togglePinned(useView.getState().selected),
  },
];
