// Where to go after signing in: a page of ours and nothing else, whatever the address says.
export function backOf(back: string | null): string {
  return back !== null && /^\/ui(\/(?!\/)[^\\]*|\?[^\\]*)?$/.test(back) ? back : '/ui/';
}
