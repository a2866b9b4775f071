import { existsSync, writeFileSync } from 'node:fs';

/** Requests for wrk to send in turn. */
export interface RequestList {
  readonly name: string;
  /** Writes the list and the script that reads it, once for each folder. @returns path of the script */
  writeScript(folder: string): string;
}

/** Formats every request before the load begins, so that sending one costs the generator a table look-up. */
const script = (list: string): string => `local requests, count, index = {}, 0, 0
function init(args)
  for line in io.lines("${list}") do
    local host, path = line:match("^(%S+) (%S+)$")
    local headers = {}
    for name, value in pairs(wrk.headers) do headers[name] = value end
    headers["Host"] = host
    count = count + 1
    requests[count] = wrk.format("GET", path, headers)
  end
end
function request()
  index = index % count + 1
  return requests[index]
end
`;

/** @param targets paths, or a host, a space and a path; asked for when the list is needed first */
export function requestList(name: string, targets: () => readonly string[]): RequestList {
  return {
    name,
    writeScript: (folder) => {
      const path = `${folder}/${name}.lua`;
      if (existsSync(path)) return path;
      const lines = targets().map((target) => (target.startsWith('/') ? `localhost ${target}` : target));
      writeFileSync(`${folder}/${name}.list`, `${lines.join('\n')}\n`);
      writeFileSync(path, script(`${folder}/${name}.list`));
      return path;
    },
  };
}
