"""Scripts that measure a page; each returns what a test compares."""

CONTRASTS = """
  const channel = (value) => (value /= 255) <= .04045 ? value / 12.92 : ((value + .055) / 1.055) ** 2.4;
  const luminance = ([r, g, b]) => .2126 * channel(r) + .7152 * channel(g) + .0722 * channel(b);
  const numbers = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const behind = (element) => {
    for (; element; element = element.parentElement) {
      const colour = numbers(getComputedStyle(element).backgroundColor);
      if (colour.length === 3 || colour[3] === 1) return colour;
    }
    return [255, 255, 255];
  };
  const ratio = (element) => {
    const [a, b] = [numbers(getComputedStyle(element).color), behind(element)].map(luminance).sort((x, y) => y - x);
    return (a + .05) / (b + .05);
  };
  const hasText = (element) => [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
  const told = (one) => [one.tagName, one.className, one.dataset.kind, one.textContent.slice(0, 40)];
  return [...document.querySelectorAll('body *')]
    .filter((element) => element.checkVisibility() && hasText(element))
    .map((element) => [ratio(element), told(element).join(' ')]);
"""
"""The contrast of each text with what lies behind it, as WCAG 2 counts it: [ratio, description]."""

UNNAMED = """
  const titleOf = (element) => document.getElementById(element.getAttribute('aria-labelledby'))?.textContent;
  return [...document.querySelectorAll('svg[role=img], table, [role=region], section, article, [data-part=aliases]')]
    .filter((element) => element.checkVisibility())
    .filter((element) => !(element.getAttribute('aria-label') || element.caption?.textContent || titleOf(element)))
    .map((element) => element.outerHTML.slice(0, 100));
"""
"""What a screen reader would come to without hearing what it is."""

HEADINGS = """
  return [...document.querySelectorAll('h1, h2, h3, h4, h5, h6')]
    .filter((element) => element.checkVisibility()).map((element) => Number(element.tagName[1]));
"""
"""The levels of the headings, from top to bottom."""

OVERFLOWING = """
  const width = document.documentElement.clientWidth;
  return [document.documentElement.scrollWidth - width, [...document.querySelectorAll('body *')]
    .filter((element) => element.checkVisibility() && !element.closest('.unseen, thead, .skip'))
    .filter((element) => element.getBoundingClientRect().right > width + 1)
    .map((element) => `${element.tagName} ${element.getAttribute('class')}`)];
"""
"""By how much the page is wider than the window, and what reaches beyond its edge."""

LISTEN_TO_LIVE_REGIONS = """
  window.heard = [];
  for (const region of document.querySelectorAll('[role=status], [role=alert], [aria-live]')) {
    const changes = { childList: true, subtree: true, characterData: true };
    new MutationObserver(() => window.heard.push(region.id)).observe(region, changes);
  }
"""
"""From now on `heard` lists the live regions that a screen reader would have read out."""

HAS_FOCUS = "return document.activeElement.matches(arguments[0])"
