// An energy balance of the whole Earth in one layer: what comes in, what goes out, and an ocean
// that takes its time.
"use strict";

const forcingOfDoubling = 3.7; // W/m² for twice the carbon dioxide
const feedback = 1.2; // W/m²/K radiated for each degree of warming
const heatCapacity = 8.0; // W·year/m²/K of the upper ocean
const before = 280; // parts per million before industry

/** Warming in kelvin, year by year, with `co2` parts per million from the first year on. */
function simulate({ years = 100, co2 = 2 * before } = {}) {
  if (!Number.isInteger(years) || years < 1 || years > 1000) {
    throw new RangeError("years must be a whole number from 1 to 1000");
  }
  if (!Number.isFinite(co2) || co2 < 100 || co2 > 10_000) {
    throw new RangeError("co2 must be a number from 100 to 10000 (parts per million)");
  }
  const forcing = forcingOfDoubling * Math.log2(co2 / before);
  const result = [];
  let warming = 0;
  for (let year = 1; year <= years; year += 1) {
    warming += (forcing - feedback * warming) / heatCapacity;
    result.push({ year, warming: Math.round(warming * 1000) / 1000 });
  }
  return result;
}

module.exports = { simulate };
