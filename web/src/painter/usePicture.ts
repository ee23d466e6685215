/** The input picture that is painted on, without its transparency, and what that is as a mask. */

import { useEffect, useRef, useState } from "react";
import { fileUrl } from "../api/client";
import { t } from "../i18n/t";
import { notify } from "../store/ui";

export interface Picture {
  url: string;
  width: number;
  height: number;
}

export function usePicture(
  name: string,
  onLoad: (width: number, height: number, mask: Uint8Array) => void,
): Picture | null {
  const [picture, setPicture] = useState<Picture | null>(null);
  const loaded = useRef(onLoad);
  useEffect(() => {
    let gone = false;
    const load = async () => {
      const address = fileUrl("input", name);
      const url = `${address}?layer=colour`;
      const [colour, grey] = await Promise.all([image(url), image(`${address}?layer=mask`)]);
      if (gone) return;
      const { naturalWidth: width, naturalHeight: height } = colour;
      setPicture({ url, width, height });
      loaded.current(width, height, brightness(grey));
    };
    load().catch(() => gone || notify("error", t("{name} cannot be shown.", { name })));
    return () => {
      gone = true;
    };
  }, [name]);
  return picture;
}

function image(url: string): Promise<HTMLImageElement> {
  const element = new Image();
  element.src = url;
  return element.decode().then(() => element);
}

function brightness(source: HTMLImageElement): Uint8Array {
  const paper = document.createElement("canvas");
  paper.width = source.naturalWidth;
  paper.height = source.naturalHeight;
  const pen = paper.getContext("2d");
  pen?.drawImage(source, 0, 0);
  const data = pen?.getImageData(0, 0, paper.width, paper.height).data;
  const mask = new Uint8Array(paper.width * paper.height);
  if (data) for (let at = 0; at < mask.length; at++) mask[at] = data[4 * at] ?? 0;
  return mask;
}
