/** The elements of a list such as that of Connection or Upgrade (RFC 9110 section 5.6.1), empty ones too; none for no field. */
export function listElements(list: string | undefined): string[] {
  if (list === undefined) return [];
  return list.split(',').map((element) => element.trim());
}

/** @param wanted in lower case; elements are compared in any case */
export function listNames(list: string | undefined, wanted: string): boolean {
  return listElements(list).some((element) => element.toLowerCase() === wanted);
}
