const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);

/** Whether several processes can open the same port by themselves (SO_REUSEPORT) through Node: 22.12, 23.1 and later. */
export const canReusePort: boolean = major > 23 || (major === 23 && minor >= 1) || (major === 22 && minor >= 12);
