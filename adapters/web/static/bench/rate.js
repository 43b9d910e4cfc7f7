/** The page of raters. It leads nowhere where systems and models have names. */

import { Frame } from "./frame.js";
import { ChooseSetView, RatingView } from "./rating.js";

new Frame(
  [],
  [[/^#\/([0-9a-z]{4,32})$/, (context, [id]) => new RatingView(context, id)]],
  (context) => new ChooseSetView(context),
).start();
