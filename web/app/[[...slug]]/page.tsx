// The one page of the export. Everything below it is drawn in the browser only: what there is to show
// depends on the browser (can it record?), so nothing could be rendered ahead without being wrong.

import { BrowserOnly } from "@/ui/BrowserOnly";

export const dynamicParams = false;

export function generateStaticParams(): { slug: string[] }[] {
  return [{ slug: [] }];
}

export default function Page() {
  return <BrowserOnly />;
}
