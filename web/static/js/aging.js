// Deadline chips age by themselves: what is left is told anew every half minute, also where nothing comes from the desk.
const SOON = 4 * 3600;

const unit = (name) => new Intl.NumberFormat(document.documentElement.lang, { style: "unit", unit: name, unitDisplay: "short" });

/** The same words as web/deadlines.py: «20 мин», «3 ч 20 мин», «12 ч», «2 дн.». */
export function span(seconds, long = false) {
  const minutes = Math.max(Math.floor(seconds / 60), 0);
  if (long && minutes >= 2 * 24 * 60) return unit("day").format(Math.floor(minutes / (24 * 60)));
  if (minutes < 60) return unit("minute").format(minutes);
  const hours = unit("hour").format(Math.floor(minutes / 60));
  return minutes % 60 === 0 || minutes >= 600 ? hours : `${hours} ${unit("minute").format(minutes % 60)}`;
}

function age(chip, now) {
  const left = Number(chip.dataset.due) - now;
  const burns = chip.dataset.warn && now >= Number(chip.dataset.warn);
  if (left >= SOON && !burns) return; // «до 17:00» stays as it is
  const words = chip.querySelector(".chip-due-text");
  const text = (left < 0 ? chip.dataset.late : chip.dataset.left).replace("{time}", span(Math.abs(left), left < 0));
  if (words.textContent !== text) words.textContent = text;
  const tone = left < 0 ? "chip-bad" : burns ? "chip-warn" : "chip-wait";
  if (chip.classList.contains(tone)) return;
  chip.classList.remove("chip-bad", "chip-warn", "chip-wait");
  chip.classList.add(tone);
  const drawn = chip.querySelector("use");
  drawn.setAttribute("href", drawn.getAttribute("href").replace(/#.*$/, left < 0 ? "#flame" : "#hourglass"));
}

export function ageChips() {
  const now = Date.now() / 1000;
  for (const chip of document.querySelectorAll(".chip-due[data-due]")) age(chip, now);
}

setInterval(() => { if (!document.hidden) ageChips(); }, 30_000);
document.addEventListener("visibilitychange", () => { if (!document.hidden) ageChips(); });
