/**
 * Whether a vCPU uses a page of a footprint of which a share is common to all, evenly spread, while the
 * other pages belong to one vCPU each, in turn. Whose a page is does not change when the footprint grows.
 * @param sharing 0: nothing is common; 1: everything.
 */
export function usesPage(page: number, vcpu: number, vcpus: number, sharing: number): boolean {
  const commonBefore = Math.floor(page * sharing);
  if (Math.floor((page + 1) * sharing) > commonBefore) return true;
  return (page - commonBefore) % vcpus === vcpu;
}
