/** The console: benchmarks, and what operators see of ratings. */

import { BoardView } from "./board.js";
import { CompareView } from "./compare.js";
import { DataView } from "./data.js";
import { DislikedView } from "./disliked.js";
import { Frame } from "./frame.js";
import { ItemsView } from "./items.js";
import { RunView } from "./run.js";
import { RunsView } from "./runs.js";
import { SetView, SetsView } from "./sets.js";
import { StartView } from "./start.js";

new Frame(
  [
    ["#/", "place.runs"],
    ["#/new", "place.start"],
    ["#/board", "place.board"],
    ["#/data", "place.data"],
    ["#/ratings", "place.ratings"],
    ["#/disliked", "place.disliked"],
  ],
  [
    [/^#\/new$/, (context) => new StartView(context)],
    [/^#\/board$/, (context) => new BoardView(context)],
    [/^#\/data$/, (context) => new DataView(context)],
    [/^#\/run\/([0-9a-f]{8})$/, (context, [id]) => new RunView(context, id)],
    [/^#\/run\/([0-9a-f]{8})\/items$/, (context, [id]) => new ItemsView(context, id)],
    [/^#\/compare\/([0-9a-f]{8})\/([0-9a-f]{8})$/, (context, [a, b]) => new CompareView(context, a, b)],
    [/^#\/ratings$/, (context) => new SetsView(context)],
    [/^#\/ratings\/([0-9a-z]{4,32})$/, (context, [id]) => new SetView(context, id)],
    [/^#\/disliked$/, (context) => new DislikedView(context)],
  ],
  (context) => new RunsView(context),
).start();
