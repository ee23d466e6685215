/** The editor's beginning: first the reader's language, since modules hold texts, then the page. */

import { beginLanguage } from "./i18n/language";

void beginLanguage().then(() => import("./start"));
