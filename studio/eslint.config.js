import svelte from "eslint-plugin-svelte";
import globals from "globals";
import typescript from "typescript-eslint";
import config from "./svelte.config.js";

export default typescript.config(
  ...typescript.configs.strict,
  ...svelte.configs.recommended,
  {
    languageOptions: { globals: globals.browser },
    rules: {
      // What others say is shown as text; nothing is ever parsed as markup or code.
      "svelte/no-at-html-tags": "error",
      "no-eval": "error",
      "no-new-func": "error",
      // Addresses are made by router.href, which knows every page.
      "svelte/no-navigation-without-resolve": "off",
      // State is replaced, never changed in place: $state.raw holds plain maps, sets and addresses.
      "svelte/prefer-svelte-reactivity": "off",
    },
  },
  {
    files: ["**/*.svelte", "**/*.svelte.ts"],
    languageOptions: {
      parserOptions: { parser: typescript.parser, extraFileExtensions: [".svelte"], svelteConfig: config },
    },
  },
);
