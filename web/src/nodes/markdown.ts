/** Markdown as HTML that can do no harm: loaded when the first note is drawn. */

import DOMPurify from "dompurify";
import { marked } from "marked";

const LEFT_OUT = ["style", "form", "input", "button", "textarea", "select", "iframe", "img", "svg"];

/**
 * Scripts, styles and forms are taken out, and pictures, since one from elsewhere would tell its server who
 * opened the workflow. Links open a page of their own that knows nothing of this one.
 */
export function toHtml(text: string): string {
  const html = marked.parse(text, { async: false, breaks: true });
  const clean = DOMPurify.sanitize(html, {
    FORBID_TAGS: LEFT_OUT,
    FORBID_ATTR: ["style", "id", "class", "name"],
    ALLOWED_URI_REGEXP: /^(?:https?:|mailto:|#)/i,
    RETURN_DOM_FRAGMENT: true,
  });
  for (const link of clean.querySelectorAll("a")) {
    link.target = "_blank";
    link.rel = "noopener noreferrer";
  }
  const holder = document.createElement("div");
  holder.append(clean);
  return holder.innerHTML;
}
