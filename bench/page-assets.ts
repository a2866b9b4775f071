/** What a page refers to: a file below the served folder. */
export interface PageAsset {
  readonly path: string;
  readonly bytes: number;
}

/** Sizes in KB: many small ones, few large ones, as pages have them. */
const sizes = [2, 2, 3, 3, 4, 5, 6, 7, 8, 10, 12, 14, 17, 20, 24, 28, 34, 41, 50, 60];
const kinds = ['js', 'css', 'png', 'woff2'];

/** Twenty files of 2 to 60 KB, 350 KB together. */
export const pageAssets: readonly PageAsset[] = sizes.map((kilobytes, index) => ({
  path: `/page/asset-${index + 1}.${kinds[index % kinds.length]}`,
  bytes: kilobytes * 1024,
}));
