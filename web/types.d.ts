// What `next build` writes into next-env.d.ts, so that `npm run typecheck` needs no build first.
/// <reference types="next" />

declare module "*.module.css" {
  const classes: Readonly<Record<string, string>>;
  export default classes;
}
declare module "*.css";
