// Every visible text whose contrast against what lies behind it is too low, as [text, ratio] pairs.
// WCAG 2.2, 1.4.3: 4.5:1, and 3:1 for large text. What is disabled, or shown faint on purpose because it
// takes no part (a muted node), is exempt.
() => {
  const brush = Object.assign(document.createElement("canvas"), { width: 1, height: 1 });
  const context = brush.getContext("2d", { willReadFrequently: true });
  const rgba = (colour) => {
    context.clearRect(0, 0, 1, 1);
    context.fillStyle = colour;
    context.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = context.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  };
  const over = ([r, g, b, a], below) => [r, g, b].map((part, i) => part * a + below[i] * (1 - a));
  const light = (colour) => {
    const [r, g, b] = colour.map((part) => {
      const c = part / 255;
      return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ratio = (one, other) => {
    const [low, high] = [light(one), light(other)].sort((a, b) => a - b);
    return (high + 0.05) / (low + 0.05);
  };
  const exempt = (element) => element.closest(":disabled, [data-mode=mute], [data-mode=bypass]");
  const backgroundOf = (element) => {
    const layers = [];
    for (let at = element; at; at = at.parentElement) layers.push(rgba(getComputedStyle(at).backgroundColor));
    return layers.reverse().reduce((below, layer) => over(layer, below), [255, 255, 255]);
  };
  const bad = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const text = walker.currentNode.textContent.trim();
    const element = walker.currentNode.parentElement;
    if (!text || !element.checkVisibility({ opacityProperty: true, visibilityProperty: true })) continue;
    if (exempt(element) || element.closest("svg, script, style")) continue;
    const style = getComputedStyle(element);
    let colour = rgba(style.color);
    // A copy without colour beneath a field, there for what is drawn under its words.
    if (colour[3] === 0 && element.closest("[aria-hidden=true]")) continue;
    for (let at = element; at; at = at.parentElement) colour[3] *= Number(getComputedStyle(at).opacity);
    const behind = backgroundOf(element);
    const size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    const found = ratio(over(colour, behind), behind);
    if (found < (large ? 3 : 4.5)) bad.push([text.slice(0, 40), Math.round(found * 100) / 100]);
  }
  return bad;
};
