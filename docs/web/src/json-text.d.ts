// esbuild gives JSON files as their text (see build.mjs), because examples are shown as they are written.
declare module "*.json" {
  const text: string;
  export default text;
}
