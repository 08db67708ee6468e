// Conditions joined by «and», their groups by «or»: rows of selects, written into one word of the address.
const box = document.querySelector("[data-any]");
if (box) install();

function install() {
  const fields = JSON.parse(box.dataset.any);
  const words = JSON.parse(box.dataset.words);
  const [mostGroups, mostConditions] = box.dataset.most.split(",").map(Number);
  const place = box.querySelector("[data-any-groups]");
  const kept = box.querySelector("[name=any]");
  const groups = JSON.parse(box.dataset.groups).filter((group) => group.every((one) => fields.some(({ name }) => name === one.field)));

  const element = (name, given = {}, ...inside) => {
    const made = Object.assign(document.createElement(name), given);
    made.append(...inside);
    return made;
  };
  const select = (options, chosen, label, changed) => {
    const made = element("select", { ariaLabel: label }, ...options.map(([value, text]) => new Option(text, value, false, value === chosen)));
    made.addEventListener("change", () => changed(made.value));
    return made;
  };
  const button = (text, act, className = "btn-quiet") => {
    const made = element("button", { type: "button", className }, text);
    made.addEventListener("click", act);
    return made;
  };
  const valuesOf = (field) => fields.find(({ name }) => name === field).values;
  const first = () => ({ field: fields[0].name, value: fields[0].values[0][0], negated: false });

  function row(group, one, at) {
    const line = element("div", { className: "any-row" });
    const drop = button("×", () => {
      group.splice(at, 1);
      if (!group.length) groups.splice(groups.indexOf(group), 1);
      draw();
    }, "btn-icon");
    drop.ariaLabel = drop.title = words.drop;
    line.append(
      select(fields.map(({ name, title }) => [name, title]), one.field, words.and, (field) => { one.field = field; [[one.value]] = valuesOf(field); draw(); }),
      select([["", words.is], ["-", words.not]], one.negated ? "-" : "", words.is, (sign) => { one.negated = sign === "-"; write(); }),
      select(valuesOf(one.field), one.value, fields.find(({ name }) => name === one.field).title, (value) => { one.value = value; write(); }),
      drop,
    );
    return line;
  }

  function draw() {
    place.replaceChildren();
    for (const [at, group] of groups.entries()) {
      const part = element("div", { className: "any-group" });
      if (at) place.append(element("p", { className: "hint" }, words.or));
      part.append(...group.map((one, line) => row(group, one, line)));
      if (group.length < mostConditions) part.append(button(`+ ${words.and}`, () => { group.push(first()); draw(); }));
      place.append(part);
    }
    if (groups.length < mostGroups) place.append(button(groups.length ? `+ ${words.or}` : `+ ${words.add}`, () => { groups.push([first()]); draw(); }));
    write();
  }

  function write() {
    kept.value = groups.map((group) => group.map((one) => `${one.negated ? "-" : ""}${one.field}:${one.value}`).join(";")).join("|");
  }

  draw();
}
